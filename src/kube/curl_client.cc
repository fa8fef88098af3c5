#include "kube/curl_client.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "base/log.h"

namespace emissary::kube {
namespace {

using namespace std::chrono_literals;

constexpr auto kConnectTimeout = 10s;
// The kernel asks a silent peer whether it is there; what is not acknowledged in time ends the connection.
constexpr auto kKeepaliveIdle = 15s;
constexpr auto kKeepaliveInterval = 5s;
constexpr auto kUnacknowledged = 30s;
constexpr size_t kMaxErrorBody = 64u << 10;

std::string header(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return "";
  if (!std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); }))
    return "";
  std::string_view value = line.substr(name.size() + 1);
  const size_t begin = value.find_first_not_of(" \t"), end = value.find_last_not_of(" \t\r\n");
  return begin == std::string_view::npos ? "" : std::string(value.substr(begin, end - begin + 1));
}

curl_blob blobOf(const std::string& text) { return {const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY}; }

}  // namespace

std::string Response::text() const {
  if (status == 0) return problem;
  const nlohmann::json read = nlohmann::json::parse(body, nullptr, false);
  const auto message = read.is_object() ? read.find("message") : read.end();
  if (read.is_object() && message != read.end() && message->is_string())
    return fmt::format("{} (HTTP {})", message->get<std::string>(), status);
  return fmt::format("HTTP {}", status);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) out += c;
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

struct CurlClient::Transfer {
  CurlClient* client = nullptr;
  Lane* lane = nullptr;
  Call call = 0;
  Request request;
  Piece piece;  // null: not a watch
  Done done;

  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  curl_slist* connect_to = nullptr;
  bool running = false;  // in the multi handle
  Loop::Timer timer = 0;
  Response response;
  std::string pieces;  // of a watch, not yet handed on
  bool too_long = false;
  char error[CURL_ERROR_SIZE] = "";

  ~Transfer() {
    client->loop_.cancel(timer);
    if (running) curl_multi_remove_handle(lane->multi, easy);
    if (easy != nullptr) curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    curl_slist_free_all(connect_to);
  }
};

/// Called from within libcurl, where nothing of it may be called again: these only note what came.
struct CurlClient::Curl {
  static size_t onBody(char* data, size_t, size_t size, void* user) {
    Transfer& transfer = *static_cast<Transfer*>(user);
    CurlClient& client = *transfer.client;
    if (transfer.response.status == 0) {
      long status = 0;
      curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
      transfer.response.status = static_cast<int>(status);
    }
    if (transfer.piece && transfer.response.status == 200) {
      if (transfer.pieces.empty()) client.with_pieces_.push_back(transfer.call);
      transfer.pieces.append(data, size);
      return size;
    }
    const size_t limit = transfer.piece ? kMaxErrorBody : transfer.request.max_bytes;
    transfer.too_long = transfer.response.body.size() + size > limit;
    if (transfer.too_long) return 0;
    transfer.response.body.append(data, size);
    return size;
  }

  static size_t onHeader(char* data, size_t, size_t size, void* user) {
    Transfer& transfer = *static_cast<Transfer*>(user);
    const std::string_view line(data, size);
    if (line == "\r\n") {  // the end of them: of a watch, its beginning
      if (!transfer.piece) return size;
      transfer.client->loop_.cancel(std::exchange(transfer.timer, 0));
    } else if (const std::string after = header(line, "retry-after"); !after.empty()) {
      int seconds = 0;
      const auto [end, error] = std::from_chars(after.data(), after.data() + after.size(), seconds);
      if (error == std::errc{} && seconds >= 0) transfer.response.retry_after = std::chrono::seconds(seconds);
    }
    return size;
  }

  static int onSocket(CURL*, curl_socket_t socket, int what, void* user, void*) {
    Lane& lane = *static_cast<Lane*>(user);
    if (what == CURL_POLL_REMOVE) {
      lane.client->loop_.unwatch(socket);
      return 0;
    }
    const uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    lane.client->loop_.watch(socket, events, [&lane, socket](uint32_t ready) {
      int mask = 0;
      if (ready & EPOLLIN) mask |= CURL_CSELECT_IN;
      if (ready & EPOLLOUT) mask |= CURL_CSELECT_OUT;
      if (ready & (EPOLLERR | EPOLLHUP)) mask |= CURL_CSELECT_ERR | CURL_CSELECT_IN;
      lane.client->act(lane, socket, mask);
    });
    return 0;
  }

  static int onTimer(CURLM*, long milliseconds, void* user) {
    Lane& lane = *static_cast<Lane*>(user);
    Loop& loop = lane.client->loop_;
    loop.cancel(std::exchange(lane.timer, 0));
    if (milliseconds >= 0) {
      lane.timer = loop.after(std::chrono::milliseconds(milliseconds), [&lane] {
        lane.timer = 0;
        lane.client->act(lane, CURL_SOCKET_TIMEOUT, 0);
      });
    }
    return 0;
  }

  static int onSocketMade(void*, curl_socket_t socket, curlsocktype) {
    const unsigned int patience = std::chrono::milliseconds(kUnacknowledged).count();
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
    return CURL_SOCKOPT_OK;
  }
};

CurlClient::CurlClient(const Config& config, EventLoop& loop, std::string user_agent)
    : config_(config), loop_(loop), user_agent_(std::move(user_agent)), credentials_(config, loop) {
  static const CURLcode made = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (made != CURLE_OK) throw std::runtime_error("libcurl cannot be used");
  for (Lane* lane : {&requests_, &watches_}) {
    lane->client = this;
    lane->multi = curl_multi_init();
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, Curl::onSocket);
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, Curl::onTimer);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  }
}

CurlClient::~CurlClient() {
  transfers_.clear();
  for (Lane* lane : {&requests_, &watches_}) {
    curl_multi_cleanup(lane->multi);
    loop_.cancel(lane->timer);
  }
}

Client::Call CurlClient::send(Request request, Done done) { return add(requests_, std::move(request), nullptr, std::move(done)); }

Client::Call CurlClient::watch(Request request, Piece piece, Done done) {
  return add(watches_, std::move(request), std::move(piece), std::move(done));
}

Client::Call CurlClient::add(Lane& lane, Request request, Piece piece, Done done) {
  const Call call = ++last_call_;
  auto transfer = std::make_unique<Transfer>();
  transfer->client = this;
  transfer->lane = &lane;
  transfer->call = call;
  transfer->request = std::move(request);
  transfer->piece = std::move(piece);
  transfer->done = std::move(done);
  transfer->timer = loop_.after(transfer->request.timeout, [this, call, time = transfer->request.timeout] {
    finish(call, {0, "", {}, fmt::format("no answer within {} s", std::chrono::duration_cast<std::chrono::seconds>(time).count())});
  });
  transfers_.emplace(call, std::move(transfer));
  // Posted, so that no callback comes before the caller knows the call.
  loop_.post([this, call] {
    if (!transfers_.contains(call)) return;
    credentials_.get([this, call](const Credentials::Now& now) {
      const auto it = transfers_.find(call);
      if (it == transfers_.end()) return;
      if (now.problem.empty()) begin(*it->second, now);
      else finish(call, {0, "", {}, now.problem});
    });
  });
  return call;
}

void CurlClient::cancel(Call call) { transfers_.erase(call); }

void CurlClient::begin(Transfer& transfer, const Credentials::Now& credentials) {
  log::debug("request to the API server",
             {{"request", transfer.request.method + " " + transfer.request.path}, {"call", std::to_string(transfer.call)}});
  transfer.easy = curl_easy_init();
  setUp(transfer, credentials);
  const Call call = transfer.call;
  if (const CURLMcode code = curl_multi_add_handle(transfer.lane->multi, transfer.easy); code != CURLM_OK) {
    finish(call, {0, "", {}, curl_multi_strerror(code)});
    return;
  }
  transfer.running = true;
}

/// With a name of its own for the certificate the URL bears that name, and the connection goes where the server is.
void CurlClient::setServer(Transfer& transfer) {
  const std::string& name = config_.tls_server_name;
  const size_t begin = config_.server.find("://") + 3;
  const size_t end = std::min(config_.server.find('/', begin), config_.server.size());
  std::string host = config_.server.substr(begin, end - begin);
  const size_t colon = host.rfind(':');
  const bool port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
  if (!port) host += ":443";
  const std::string number = host.substr(host.rfind(':') + 1);
  std::string url = config_.server + transfer.request.path;
  if (!name.empty()) {
    url = fmt::format("{}{}:{}{}{}", config_.server.substr(0, begin), name, number, config_.server.substr(end),
                      transfer.request.path);
    transfer.connect_to = curl_slist_append(nullptr, fmt::format("{}:{}:{}", name, number, host).c_str());
    curl_easy_setopt(transfer.easy, CURLOPT_CONNECT_TO, transfer.connect_to);
  }
  curl_easy_setopt(transfer.easy, CURLOPT_URL, url.c_str());
}

void CurlClient::setUp(Transfer& transfer, const Credentials::Now& credentials) {
  CURL* easy = transfer.easy;
  const Request& request = transfer.request;
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  const auto add = [&](const std::string& line) { transfer.headers = curl_slist_append(transfer.headers, line.c_str()); };

  setServer(transfer);
  set(CURLOPT_USERAGENT, user_agent_.c_str());
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (!request.body.empty()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.c_str());
    add("Content-Type: " + request.content_type);
    add("Expect:");
  }
  add("Accept: application/json");
  if (!credentials.authorization.empty()) add("Authorization: " + credentials.authorization);
  set(CURLOPT_HTTPHEADER, transfer.headers);

  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(CURLOPT_PIPEWAIT, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::chrono::milliseconds(kConnectTimeout).count()));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, static_cast<long>(kKeepaliveIdle.count()));
  set(CURLOPT_TCP_KEEPINTVL, static_cast<long>(kKeepaliveInterval.count()));
  set(CURLOPT_SOCKOPTFUNCTION, Curl::onSocketMade);
  set(CURLOPT_BUFFERSIZE, 128L << 10);

  // PEM in memory: a connection is shared only between those who bring the same.
  const auto pem = [&](CURLoption option, const std::string& text) {
    curl_blob blob = blobOf(text);
    if (!text.empty()) set(option, &blob);
  };
  pem(CURLOPT_CAINFO_BLOB, credentials.ca);
  pem(CURLOPT_SSLCERT_BLOB, credentials.client_certificate);
  pem(CURLOPT_SSLKEY_BLOB, credentials.client_key);
  if (config_.insecure_skip_tls_verify) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!config_.proxy_url.empty()) set(CURLOPT_PROXY, config_.proxy_url.c_str());

  set(CURLOPT_PRIVATE, &transfer);
  set(CURLOPT_ERRORBUFFER, transfer.error);
  set(CURLOPT_WRITEFUNCTION, Curl::onBody);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_HEADERFUNCTION, Curl::onHeader);
  set(CURLOPT_HEADERDATA, &transfer);
}

void CurlClient::act(Lane& lane, int socket, int events) {
  int running = 0;
  curl_multi_socket_action(lane.multi, socket, events, &running);
  deliver();
  std::vector<std::pair<Call, Response>> ended;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(lane.multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    Response response = std::move(transfer->response);
    if (message->data.result == CURLE_OK) {
      long status = 0;
      curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
      response.status = static_cast<int>(status);
    } else {
      response = {0, "", {}, transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(message->data.result)};
      if (transfer->too_long) response.problem = "the answer is too large";
      if (message->data.result == CURLE_PEER_FAILED_VERIFICATION) credentials_.distrusted();
    }
    ended.emplace_back(transfer->call, std::move(response));
  }
  for (auto& [call, response] : ended) finish(call, std::move(response));
}

void CurlClient::deliver() {
  for (const Call call : std::exchange(with_pieces_, {})) {
    const auto it = transfers_.find(call);
    if (it == transfers_.end()) continue;
    const std::string pieces = std::exchange(it->second->pieces, {});
    // A copy: the callback may cancel the call.
    const Piece piece = it->second->piece;
    piece(pieces);
  }
}

void CurlClient::finish(Call call, Response response) {
  const auto it = transfers_.find(call);
  if (it == transfers_.end()) return;  // a callback before it has cancelled it
  if (response.status == 401) credentials_.refused();
  log::debug("request to the API server ended", {{"request", it->second->request.method + " " + it->second->request.path},
                                                 {"call", std::to_string(call)},
                                                 {"answer", response.status == 200 ? "200" : response.text()}});
  const Done done = std::move(it->second->done);
  transfers_.erase(it);
  done(std::move(response));
}

}  // namespace emissary::kube
