// The servers on loopback, asked by OpenSSL itself, so that a test says each byte.

#include "webhook/servers.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>

#include "base/openssl.h"

namespace emissary::webhook {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

int64_t now() { return static_cast<int64_t>(std::time(nullptr)); }

int connectTo(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    return -1;
  }
  const timeval patience{60, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

/// One TLS connection that trusts `authority`, and holds the server against `name`.
class Connection {
 public:
  Connection(uint16_t port, const std::string& authority, const std::string& name, int version = TLS1_3_VERSION)
      : context_(SSL_CTX_new(TLS_client_method())), fd_(connectTo(port)) {
    SSL_CTX_set_max_proto_version(context_, version);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), openssl::readCertificate(authority).get());
    ssl_ = SSL_new(context_);
    if (!name.empty()) {
      SSL_set_tlsext_host_name(ssl_, name.c_str());
      SSL_set1_host(ssl_, name.c_str());
    }
    SSL_set_fd(ssl_, fd_);
    up = SSL_connect(ssl_) == 1;
  }
  ~Connection() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    close(fd_);
  }
  Connection(const Connection&) = delete;

  void write(const std::string& text) { SSL_write(ssl_, text.data(), static_cast<int>(text.size())); }
  /// All that comes until the server closes, or until `enough` has come.
  std::string read(const std::string& enough = "\x01") {
    std::string out;
    char buffer[4096];
    while (out.find(enough) == std::string::npos) {
      const int got = SSL_read(ssl_, buffer, sizeof buffer);
      if (got <= 0) break;
      out.append(buffer, static_cast<size_t>(got));
    }
    return out;
  }
  std::string ask(const std::string& body, const std::string& more = "") {
    write("POST /webhooks/crd-convert HTTP/1.1\r\nHost: hook\r\nContent-Type: application/json\r\n" + more +
          "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return read("}}");
  }

  bool up = false;

 private:
  SSL_CTX* context_;
  int fd_;
  SSL* ssl_;
};

const std::string kReview =
    R"({"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1","request":{"uid":"u","desiredAPIVersion":"getambassador.io/v2",)"
    R"("objects":[]}})";

class ConvertServerTest : public ::testing::Test {
 protected:
  ConvertServerTest() { begin({}); }
  void begin(Limits limits) {
    server_ = std::make_unique<ConvertServer>(settings::Address{"127.0.0.1", 0}, std::vector<std::string>{"hook", "hook.ns.svc"},
                                              metrics_, limits);
    std::string error;
    EXPECT_TRUE(server_->start(error)) << error;
    server_->show(newServer(authority_, {"hook", "hook.ns.svc"}, now()));
  }
  uint16_t port() const { return server_->port(); }

  const Pair authority_ = newAuthority(now());
  Metrics metrics_{"1"};
  std::unique_ptr<ConvertServer> server_;
};

TEST_F(ConvertServerTest, ConvertsAndStaysOpen) {
  Connection connection(port(), authority_.certificate, "hook.ns.svc");
  ASSERT_TRUE(connection.up);
  for (int i = 0; i < 3; ++i) {
    const std::string answer = connection.ask(kReview);
    EXPECT_THAT(answer, HasSubstr("200 OK"));
    EXPECT_THAT(answer, HasSubstr(R"("convertedObjects":[])"));
  }
  EXPECT_THAT(connection.ask("nonsense"), HasSubstr(R"("status":"Failure")"));
  EXPECT_THAT(metrics_.text(), HasSubstr("emissary_webhook_review_seconds_count 4\n"));
}

TEST_F(ConvertServerTest, WhoIsAnswered) {
  EXPECT_TRUE(Connection(port(), authority_.certificate, "HOOK").up);
  EXPECT_TRUE(Connection(port(), authority_.certificate, "").up);  // by its address, without a name
  EXPECT_FALSE(Connection(port(), authority_.certificate, "other.ns.svc").up);
  EXPECT_FALSE(Connection(port(), authority_.certificate, "hook", TLS1_2_VERSION).up);
  EXPECT_FALSE(Connection(port(), newAuthority(now()).certificate, "hook").up);
}

TEST_F(ConvertServerTest, AnotherCertificateIsShownAtOnce) {
  Connection before(port(), authority_.certificate, "hook");
  const Pair next = newAuthority(now());
  server_->show(newServer(next, {"hook"}, now()));
  EXPECT_TRUE(Connection(port(), next.certificate, "hook").up);
  EXPECT_FALSE(Connection(port(), authority_.certificate, "hook").up);
  EXPECT_THAT(before.ask(kReview), HasSubstr("200 OK"));  // what is open stays
}

TEST_F(ConvertServerTest, NothingElseIsServed) {
  const auto first = [&](const std::string& request) {
    Connection connection(port(), authority_.certificate, "hook");
    connection.write(request);
    const std::string answer = connection.read("\r\n");
    return answer.substr(0, answer.find("\r\n"));
  };
  EXPECT_THAT(first("GET / HTTP/1.1\r\nHost: hook\r\n\r\n"), HasSubstr("404"));
  EXPECT_THAT(first("GET /webhooks/crd-convert HTTP/1.1\r\nHost: hook\r\n\r\n"), HasSubstr("405"));
  EXPECT_THAT(first("POST /" + std::string(5000, 'a') + " HTTP/1.1\r\nHost: hook\r\nContent-Length: 0\r\n\r\n"), HasSubstr("404"));
  EXPECT_THAT(first("POST /webhooks/crd-convert HTTP/1.1\r\nHost: hook\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"),
              HasSubstr("415"));
  EXPECT_THAT(first("\x16\x03 nonsense\r\n\r\n"), HasSubstr("400"));
}

TEST_F(ConvertServerTest, Limits) {
  Limits limits;
  limits.max_body = 1000;
  limits.max_bodies = 1500;
  limits.max_connections = 2;
  limits.handshake = limits.request = limits.idle = 1s;
  begin(limits);
  const auto fresh = [&] { return std::make_unique<Connection>(port(), authority_.certificate, "hook"); };
  EXPECT_THAT(fresh()->ask(std::string(1001, ' ')), HasSubstr("413"));
  {
    auto chunked = fresh();
    chunked->write("POST /webhooks/crd-convert HTTP/1.1\r\nHost: hook\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 3; ++i) chunked->write("1f4\r\n" + std::string(500, ' ') + "\r\n");
    EXPECT_THAT(chunked->read("\r\n"), HasSubstr("413"));
  }
  EXPECT_THAT(metrics_.text(), HasSubstr("emissary_webhook_refused_total{reason=\"too_large\"} 2\n"));
  // As many as there are threads hold them, each in its way; all are let go of, and others get their turn.
  const int silent = connectTo(port());
  auto half = fresh();
  half->write("POST /webhooks/crd-convert HTTP/1.1\r\nHost: hook\r\nContent-Length: 100\r\n\r\nhalf");
  EXPECT_THAT(fresh()->ask(kReview), HasSubstr("200 OK"));
  EXPECT_THAT(half->read(), ::testing::Not(HasSubstr("200")));
  char byte = 0;
  EXPECT_LE(recv(silent, &byte, 1, 0), 0);
  close(silent);
}

TEST_F(ConvertServerTest, EndsWhileOthersHoldOn) {
  Connection idle(port(), authority_.certificate, "hook");
  idle.ask(kReview);
  const int silent = connectTo(port());
  server_->stop();
  EXPECT_EQ(idle.read(), "");
  close(silent);
}

TEST(ProbeServer, Tells) {
  bool ready = false;
  const Metrics metrics("1.2.3");
  ProbeServer server({"127.0.0.1", 0}, [&] { return ready; }, metrics);
  std::string error;
  ASSERT_TRUE(server.start(error)) << error;
  const auto get = [&](const char* path) {
    httplib::Client client("127.0.0.1", server.port());
    const auto answer = client.Get(path);
    return answer ? std::to_string(answer->status) + " " + answer->body : "nothing";
  };
  EXPECT_EQ(get("/probes/live"), "200 Living!\n");
  EXPECT_EQ(get("/probes/ready"), "500 ");
  ready = true;
  EXPECT_EQ(get("/probes/ready"), "200 Ready!\n");
  EXPECT_EQ(get("/other"), "404 ");
  EXPECT_EQ(get("/metrics"), "200 " + metrics.text());
  EXPECT_THAT(metrics.text(), HasSubstr("emissary_webhook_info{version=\"1.2.3\"} 1\n"));
  ProbeServer second({"127.0.0.1", server.port()}, [] { return true; }, metrics);
  EXPECT_FALSE(second.start(error));
  EXPECT_THAT(error, HasSubstr("cannot be bound"));
}

}  // namespace
}  // namespace emissary::webhook
