#include <fcntl.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "serve/envoy_fixture.h"

extern char** environ;

namespace emissary::serve::testing {
namespace {

std::string envoyBinary() {
  if (const char* given = std::getenv("EMISSARY_TEST_ENVOY")) return given;
  const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  FILE* out = ::popen((root / "deps/envoy.sh").c_str(), "r");
  char line[4096] = {};
  const bool ok = out && std::fgets(line, sizeof line, out);
  if (out) ::pclose(out);
  return ok ? std::string(line, std::strcspn(line, "\n")) : "";
}

constexpr char kBootstrap[] = R"({
  "node": {"id": "test", "cluster": "test"},
  "admin": {"address": {"pipe": {"path": "@ADMIN@"}}},
  "dynamic_resources": {
    "ads_config": {"api_type": "DELTA_GRPC", "transport_api_version": "V3", "set_node_on_first_message_only": true,
      "grpc_services": [{"envoy_grpc": {"cluster_name": "xds",
        "retry_policy": {"retry_back_off": {"base_interval": "0.05s", "max_interval": "1s"}}}}]},
    "cds_config": {"ads": {}, "resource_api_version": "V3"},
    "lds_config": {"ads": {}, "resource_api_version": "V3"}},
  "static_resources": {"clusters": [{"name": "xds", "type": "STATIC", "connect_timeout": "1s",
    "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      "explicit_http_config": {"http2_protocol_options": {}}}},
    "load_assignment": {"cluster_name": "xds", "endpoints": [{"lb_endpoints": [
      {"endpoint": {"address": {"pipe": {"path": "@ADS@"}}}}]}]}}]}})";

void replace(std::string& text, const std::string& what, const std::string& by) {
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
}

/// Envoy closes a connection late after some answers: their length says that they are complete.
bool complete(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  const size_t length = answer.find("content-length: ");
  return end != answer.npos && length < end && answer.size() >= end + 4 + std::stoul(answer.substr(length + 16));
}

}  // namespace

Folder::Folder() {
  char path[] = "/tmp/xdsXXXXXX";
  if (::mkdtemp(path)) path_ = path;
}
Folder::~Folder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

bool eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

Answer get(const std::string& socket, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval patience{.tv_sec = 20};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string text;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    char buffer[65536];
    for (ssize_t n; !complete(text) && (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) text.append(buffer, static_cast<size_t>(n));
  }
  ::close(fd);
  Answer answer;
  if (text.starts_with("HTTP/1.1 ")) answer.status = std::atoi(text.c_str() + 9);
  if (const size_t end = text.find("\r\n\r\n"); end != text.npos) answer.body = text.substr(end + 4);
  return answer;
}

BlackHole::BlackHole() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
  ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}
BlackHole::~BlackHole() { ::close(socket_); }

Envoy::Envoy(const Folder& folder, const std::string& ads_socket, const std::string& name)
    : admin_(folder.file(name + ".admin")), log_(folder.file(name + ".log")) {
  static const std::string binary = envoyBinary();
  std::string bootstrap = kBootstrap;
  replace(bootstrap, "@ADMIN@", admin_);
  replace(bootstrap, "@ADS@", ads_socket);
  const std::string file = folder.file(name + ".json");
  std::ofstream(file) << bootstrap;

  std::vector<std::string> words = {binary,    "-c",         file, "--disable-hot-restart", "--concurrency", "1", "--log-level",
                                    "warning", "--log-path", log_};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 2, folder.file(name + ".err").c_str(), O_WRONLY | O_CREAT, 0600);
  if (::posix_spawn(&pid_, binary.c_str(), &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
  ::posix_spawn_file_actions_destroy(&actions);
  EXPECT_GT(pid_, 0) << "cannot start '" << binary << "'; set EMISSARY_TEST_ENVOY";
}

Envoy::~Envoy() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string Envoy::log() const {
  std::ostringstream text;
  text << std::ifstream(log_).rdbuf();
  return text.str();
}

ResourcePtr fromJson(Type type, const std::string& name, google::protobuf::Message&& message, const std::string& json,
                     std::vector<std::string> clusters, std::string endpoints) {
  const auto status = google::protobuf::util::JsonStringToMessage(json, &message);
  EXPECT_TRUE(status.ok()) << status.ToString() << "\n" << json;
  return makeResource(type, name, message.SerializeAsString(), std::move(clusters), std::move(endpoints));
}

}  // namespace emissary::serve::testing
