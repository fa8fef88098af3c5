# Shared by scripts/demo and scripts/demo-kubernetes, which set: name, state (a folder of its own), ports.

# Not ended, though perhaps nobody has asked how (in a container without an init).
alive() { grep -qs ') [^Z] ' "/proc/$1/stat"; }

running() { [ -e "$state/pid" ] && alive "$(cat "$state/pid")"; }

stop() {
  if ! running; then
    rm -f "$state/pid"
    echo "the demo is not running"
    return
  fi
  pid=$(cat "$state/pid")
  kill -TERM "$pid"
  for _ in $(seq 300); do
    alive "$pid" || break
    sleep 0.1
  done
  # The process is the leader of its session: what is left of it after half a minute is ended without asking.
  ! alive "$pid" || pkill -KILL -s "$pid" || true
  rm -f "$state/pid"
  echo "the demo has ended"
}

check_ports() {
  python3 - "$name" "${ports[@]}" <<'PY'
import socket, sys
taken = []
for port in map(int, sys.argv[2:]):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            taken.append(str(port))
if taken:
    sys.exit(f"{sys.argv[1]}: port {', '.join(taken)} of this machine is in use; end what holds it (`ss -ltnp` tells) and try again")
PY
}

# A certificate for the demo's names, made anew each time: no key is part of the repository.
make_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost,DNS:*.localhost,DNS:secure.localhost' -keyout "$state/tls.key" -out "$state/tls.crt" 2>/dev/null
}

# The whole of it. `prepare`, `serve`, `wait_ready` and `advice` are the script's own.
start() {
  if running; then
    echo "$name: already running; \`make $name-stop\` ends it" >&2
    exit 1
  fi
  deps/install.sh build test
  [ -n "${EMISSARY_BINARY:-}" ] || scripts/build
  check_ports
  prepare
  setsid "scripts/$name" serve >"$state/log" 2>&1 </dev/null &
  echo $! >"$state/pid"
  trap 'stop' EXIT
  if ! wait_ready; then
    echo "$name: the gateway did not become ready; the end of $state/log:" >&2
    tail -n 40 "$state/log" >&2
    exit 1
  fi
  advice
  if [ -n "${DETACH:-}" ]; then
    trap - EXIT
    echo "It goes on in the background; \`make $name-stop\` ends it."
    exit 0
  fi
  echo "Ctrl-C ends it."
  trap 'exit 0' INT TERM
  while running; do sleep 1 & wait $! || true; done
  echo "$name: it has ended; the end of its log:" >&2
  tail -n 20 "$state/log" >&2
  exit 1
}

case ${1:-} in
  start | stop | serve) ;;
  *) echo "usage: scripts/$name start|stop" >&2; exit 2 ;;
esac
