"""A backend that answers every request at once, in every address of the namespace: `python -m backend PORT`. Its answer names the
address that was called, which shows where Envoy sent a request."""
import asyncio
import sys


class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        called = transport.get_extra_info("sockname")[0]
        self.answer = f"HTTP/1.1 200 OK\r\nx-called: {called}\r\ncontent-length: 3\r\n\r\nok\n".encode()
        self.rest = b""

    def data_received(self, data):
        # Only requests without a body are ever sent here.
        data = self.rest + data
        count = data.count(b"\r\n\r\n")
        self.rest = data.rpartition(b"\r\n\r\n")[2]
        self.transport.write(self.answer * count)


async def main(port):
    server = await asyncio.get_running_loop().create_server(Answer, "0.0.0.0", port, backlog=1024)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
