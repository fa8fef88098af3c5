#include "diagnostics/admin_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

namespace emissary::diagnostics {
namespace {

using ::testing::HasSubstr;

class AdminServerTest : public ::testing::Test {
 protected:
  AdminServerTest()
      : server_({"127.0.0.1", 0}, {[this] { return alive_.load(); }, [this] { return ready_.load(); }, [] { return "m 1\n"; },
                                   [this](const Request& request) {
                                     asked_ = request;
                                     return Reply{203, "text/html", "<p>", ""};
                                   }}) {}

  void SetUp() override {
    std::string error;
    ASSERT_TRUE(server_.start(error)) << error;
    ASSERT_NE(server_.port(), 0);
  }

  httplib::Client client() const {
    httplib::Client client("127.0.0.1", server_.port());
    client.set_read_timeout(60);
    return client;
  }

  int connected() const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }

  std::atomic<bool> alive_{true};
  std::atomic<bool> ready_{false};
  Request asked_;
  AdminServer server_;
};

TEST_F(AdminServerTest, Probes) {
  auto http = client();
  auto reply = http.Get("/ambassador/v0/check_alive");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "Ambassador is alive and well\n");
  reply = http.Get("/ambassador/v0/check_ready");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->body, "Ambassador is not ready");
  alive_ = false;
  ready_ = true;
  reply = http.Get("/ambassador/v0/check_alive");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->body, "Ambassador is not alive");
  reply = http.Post("/ambassador/v0/check_ready", "body", "text/plain");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "Ambassador is ready and waiting\n");
}

TEST_F(AdminServerTest, MetricsAndTheRest) {
  auto http = client();
  auto reply = http.Get("/metrics");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "m 1\n");
  EXPECT_THAT(reply->get_header_value("Content-Type"), HasSubstr("version=0.0.4"));
  reply = http.Delete("/metrics");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 405);
}

TEST_F(AdminServerTest, TheRestIsDiagnostics) {
  auto http = client();
  http.set_url_encode(false);
  const auto reply = http.Get("/ambassador/v0/diag/a%20b?json=true&filter=errors",
                              {{"X-Forwarded-Proto", "https"}, {"X-Ambassador-Diag-IP", "10.1.2.3"}, {"Host", "h.test"}});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 203);
  EXPECT_EQ(reply->body, "<p>");
  EXPECT_EQ(reply->get_header_value("Content-Type"), "text/html");
  EXPECT_EQ(reply->get_header_value_count("Content-Type"), 1u);
  EXPECT_THAT(reply->get_header_value("Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_EQ(asked_.path, "/ambassador/v0/diag/a b");
  EXPECT_EQ(asked_.parameter("filter"), "errors");
  EXPECT_EQ(asked_.scheme, "https");
  EXPECT_EQ(asked_.host, "h.test");
  EXPECT_TRUE(asked_.local) << "by the socket's peer, whatever headers say";
}

TEST_F(AdminServerTest, SilentClientsDoNotBlockProbes) {
  std::vector<int> silent;
  for (int i = 0; i < 40; ++i) silent.push_back(connected());
  auto http = client();
  const auto reply = http.Get("/ambassador/v0/check_alive");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  for (const int fd : silent) close(fd);
}

TEST_F(AdminServerTest, ClientsThatSendByteByByteDoNotBlockProbes) {
  std::vector<int> slow;
  for (size_t i = 0; i < 2 * AdminServer::kThreads; ++i) slow.push_back(connected());
  std::atomic<bool> answered{false};
  std::thread trickle([&] {
    while (!answered) {
      for (const int fd : slow) send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
      std::this_thread::yield();
    }
  });
  for (int probe = 0; probe < 3; ++probe) {
    const auto reply = client().Get("/ambassador/v0/check_alive");
    EXPECT_TRUE(reply && reply->status == 200);
    if (!reply) break;
  }
  answered = true;
  trickle.join();
  for (const int fd : slow) close(fd);
}

TEST_F(AdminServerTest, HeadersWithoutEndAreCutOff) {
  const int endless = connected();
  const std::string line = "GET /metrics HTTP/1.1\r\nHost: x\r\n";
  ASSERT_EQ(send(endless, line.data(), line.size(), MSG_NOSIGNAL), static_cast<ssize_t>(line.size()));
  const std::string header = "X: " + std::string(1000, 'y') + "\r\n";
  size_t taken = 0;
  constexpr size_t kFarTooMany = 64 << 20;
  while (taken < kFarTooMany && send(endless, header.data(), header.size(), MSG_NOSIGNAL) > 0) taken += header.size();
  EXPECT_LT(taken, kFarTooMany);
  close(endless);
}

TEST_F(AdminServerTest, APathTooLongIsRefused) {
  auto http = client();
  const auto reply = http.Get("/" + std::string(20'000, 'a'));
  EXPECT_TRUE(!reply || reply->status >= 400);
  const auto after = client().Get("/ambassador/v0/check_alive");
  ASSERT_TRUE(after);
  EXPECT_EQ(after->status, 200);
}

TEST_F(AdminServerTest, AnAddressInUseIsNamedWithItsCure) {
  AdminServer second({"127.0.0.1", server_.port()}, {});
  std::string error;
  EXPECT_FALSE(second.start(error));
  EXPECT_THAT(error, HasSubstr("127.0.0.1:" + std::to_string(server_.port())));
  EXPECT_THAT(error, HasSubstr("--admin-address"));
}

}  // namespace
}  // namespace emissary::diagnostics
