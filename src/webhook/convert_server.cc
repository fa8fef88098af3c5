#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <utility>

#include "base/elastic_pool.h"
#include "base/listening.h"
#include "base/log.h"
#include "base/lower.h"
#include "base/openssl.h"
#include "webhook/connections.h"
#include "webhook/crd.h"
#include "webhook/review.h"
#include "webhook/servers.h"

namespace emissary::webhook {
namespace {

using namespace std::chrono_literals;

/// Connections that may wait for a thread; more wait in the kernel.
constexpr size_t kMostWaiting = 64;
/// Between two reads or writes of one request.
constexpr int kStall = 10;
/// For requests that are under way at the end.
constexpr auto kFinish = 5s;
/// Refusals that are logged, a second.
constexpr auto kLogPause = 1s;

struct Identity {
  openssl::Certificate certificate;
  openssl::Key key;
};

/// A part of what all requests together may hold.
class Share {
 public:
  Share(std::atomic<size_t>& all, size_t most) : all_(all), most_(most) {}
  ~Share() { all_ -= mine_; }
  Share(const Share&) = delete;
  bool take(size_t size) {
    mine_ += size;
    return (all_ += size) <= most_;
  }

 private:
  std::atomic<size_t>& all_;
  const size_t most_;
  size_t mine_ = 0;
};

}  // namespace

class ConvertServer::Impl {
 public:
  Impl(settings::Address address, std::vector<std::string> names, Metrics& metrics, Limits limits)
      : address_(std::move(address)),
        names_(std::move(names)),
        metrics_(metrics),
        limits_(limits),
        server_([this](SSL_CTX& context) { return setUp(&context); }) {
    server_.new_task_queue = [this] { return new ElasticPool(limits_.max_connections, kMostWaiting); };
    server_.set_keep_alive_max_count(100'000);
    server_.set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(limits_.idle).count());
    server_.set_read_timeout(kStall);
    server_.set_write_timeout(kStall);
    server_.set_payload_max_length(limits_.max_body);
    server_.set_tcp_nodelay(true);
    server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      connections_.allow(request.ssl, limits_.request, true);
      if (request.path != kConvertPath) return refuse(response, 404, "Not found\n");
      if (request.method != "POST") return refuse(response, 405, "Method not allowed\n");
      // The length that counts is that of what comes out.
      if (request.has_header("Content-Encoding")) return refuse(response, 415, "No encoding is taken\n");
      return httplib::Server::HandlerResponse::Unhandled;
    });
    server_.Post(std::string(kConvertPath), [this](const httplib::Request&, httplib::Response& response,
                                                   const httplib::ContentReader& reader) { convert(response, reader); });
    server_.set_logger([this](const httplib::Request& request, const httplib::Response& response) {
      // What there is of a refused request is not read.
      connections_.allow(request.ssl, response.status == 200 ? limits_.idle + limits_.handshake : 0ms, false);
    });
    server_.set_exception_handler([](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
      refuse(response, 500, "Out of memory\n");
    });
  }

  bool start(std::string& error) {
    if (!server_.is_valid()) {
      error = "TLS cannot be set up";
      return false;
    }
    std::string why;
    if (server_.begin(address_.host, address_.port, why)) return true;
    error = fmt::format("the address {} cannot be bound: {}; choose another with --https-address", address_.text(), why);
    return false;
  }

  void stop() {
    server_.close();
    connections_.end(kFinish);
    server_.join();
  }

  void show(const Pair& pair) {
    auto identity =
        std::make_shared<const Identity>(Identity{openssl::readCertificate(pair.certificate), openssl::readKey(pair.key)});
    std::lock_guard lock(mutex_);
    identity_ = std::move(identity);
  }

  uint16_t port() const { return server_.port(); }

 private:
  static httplib::Server::HandlerResponse refuse(httplib::Response& response, int status, const char* text) {
    response.status = status;
    response.set_content(text, "text/plain; charset=utf-8");
    response.set_header("Connection", "close");
    return httplib::Server::HandlerResponse::Handled;
  }

  bool setUp(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_cert_cb(context, [](SSL* ssl, void* us) { return static_cast<Impl*>(us)->present(ssl) ? 1 : 0; }, this);
    connections_.follow(context, limits_.handshake);
    return true;
  }

  bool present(SSL* ssl) {
    if (const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) {
      const std::string name = lower(asked);
      if (std::find(names_.begin(), names_.end(), name) == names_.end()) return false;
    }
    std::shared_ptr<const Identity> identity;
    {
      std::lock_guard lock(mutex_);
      identity = identity_;
    }
    return identity && SSL_use_certificate(ssl, identity->certificate.get()) == 1 &&
           SSL_use_PrivateKey(ssl, identity->key.get()) == 1;
  }

  void convert(httplib::Response& response, const httplib::ContentReader& reader) {
    Share share(bodies_, limits_.max_bodies);
    std::string body;
    int status = 200;
    const bool complete = reader([&](const char* data, size_t size) {
      if (body.size() + size > limits_.max_body) status = 413;
      else if (!share.take(size)) status = 503;
      if (status == 200) body.append(data, size);
      return status == 200;
    });
    using Refusal = Metrics::Refusal;
    if (status == 413 || response.status == 413) return giveUp(response, 413, "Too large\n", Refusal::TooLarge);
    if (status == 503) return giveUp(response, 503, "Too much at once\n", Refusal::TooMuch);
    if (!complete) return giveUp(response, 400, "The request broke off\n", Refusal::Broken);
    const auto begun = std::chrono::steady_clock::now();
    const Answer answered = answer(std::move(body));
    metrics_.answered(answered, std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
    if (!answered.problem.empty()) refused(answered.problem);
    response.set_content(answered.body, "application/json");
  }

  void giveUp(httplib::Response& response, int status, const char* text, Metrics::Refusal why) {
    metrics_.refused(why);
    refuse(response, status, text);
  }

  void refused(const std::string& problem) {
    std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    ++unlogged_;
    if (now < log_again_) return;
    log_again_ = now + kLogPause;
    log::warn("a conversion was refused", {{"why", problem}, {"refused", std::to_string(std::exchange(unlogged_, 0))}});
  }

  const settings::Address address_;
  const std::vector<std::string> names_;
  Metrics& metrics_;
  const Limits limits_;
  Connections connections_;
  std::atomic<size_t> bodies_{0};
  std::mutex mutex_;
  std::shared_ptr<const Identity> identity_;
  std::chrono::steady_clock::time_point log_again_;
  size_t unlogged_ = 0;
  Listening<httplib::SSLServer> server_;
};

ConvertServer::ConvertServer(settings::Address address, std::vector<std::string> names, Metrics& metrics, Limits limits)
    : impl_(std::make_unique<Impl>(std::move(address), std::move(names), metrics, limits)) {}
ConvertServer::~ConvertServer() { impl_->stop(); }
bool ConvertServer::start(std::string& error) { return impl_->start(error); }
void ConvertServer::stop() { impl_->stop(); }
void ConvertServer::show(const Pair& pair) { impl_->show(pair); }
uint16_t ConvertServer::port() const { return impl_->port(); }

}  // namespace emissary::webhook
