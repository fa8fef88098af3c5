#pragma once
// The Client that speaks to a server: libcurl, HTTP/2 by TLS where the server has it, else HTTP/1.1. Two multi handles on one loop:
// watches share one connection, everything else another, so that neither waits behind the other. Dead connections are noticed by
// the kernel, which asks a peer that has fallen silent whether it is still there.
//
// Owned by whoever owns the loop; made before the loop starts, destroyed after it stopped.

#include <curl/curl.h>

#include <array>
#include <map>
#include <memory>
#include <vector>

#include "kube/client.h"
#include "kube/config.h"
#include "kube/credentials.h"
#include "kube/event_loop.h"

namespace emissary::kube {

class CurlClient : public Client {
 public:
  /// `user_agent`: "emissary/1.0".
  CurlClient(const Config& config, EventLoop& loop, std::string user_agent);
  ~CurlClient() override;
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  Call send(Request request, Done done) override;
  Call watch(Request request, Piece piece, Done done) override;
  void cancel(Call call) override;

 private:
  struct Transfer;
  /// One multi handle; its connections are its own.
  struct Lane {
    CurlClient* client = nullptr;
    CURLM* multi = nullptr;
    Loop::Timer timer = 0;
  };
  struct Curl;  // what libcurl calls

  Call add(Lane& lane, Request request, Piece piece, Done done);
  void begin(Transfer& transfer, const Credentials::Now& credentials);
  void setServer(Transfer& transfer);
  void setUp(Transfer& transfer, const Credentials::Now& credentials);
  void act(Lane& lane, int socket, int events);
  void deliver();
  void finish(Call call, Response response);

  const Config config_;
  EventLoop& loop_;
  const std::string user_agent_;
  Credentials credentials_;
  Lane requests_;
  Lane watches_;
  std::map<Call, std::unique_ptr<Transfer>> transfers_;
  Call last_call_ = 0;
  std::vector<Call> with_pieces_;  // watches of which something has come
};

}  // namespace emissary::kube
