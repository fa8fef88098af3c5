#include "serve/grpc_transport.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "envoy/service/discovery/v3/ads.grpc.pb.h"
#include "serve/client_node.h"
#include "serve/wire.h"

namespace emissary::serve {
namespace {

namespace discovery = envoy::service::discovery::v3;
using grpc::ByteBuffer;
using grpc::Slice;

// Fields of DeltaDiscoveryResponse.
constexpr uint32_t kResources = 2;
constexpr uint32_t kTypeUrl = 4;
constexpr uint32_t kNonce = 5;
constexpr uint32_t kRemoved = 6;

// A reconnect lists every version: 50,000 resources are over 4 MB.
constexpr int kMaxRequestBytes = 256 << 20;
// Below this a copy costs less than a slice of its own.
constexpr size_t kShareFrom = 4096;

Slice sliceOf(const std::string& bytes) { return Slice(bytes.data(), bytes.size()); }

/// A slice that keeps the resource alive: its bytes go out to all streams without a copy.
Slice sharedSlice(const ResourcePtr& resource) {
  auto* owner = new ResourcePtr(resource);
  return Slice(
      const_cast<char*>(resource->wire.data()), resource->wire.size(), [](void* p) { delete static_cast<ResourcePtr*>(p); }, owner);
}

ByteBuffer encode(const Response& response) {
  std::vector<Slice> slices;
  std::string head;
  wire::bytes(head, kTypeUrl, typeUrl(response.type));
  wire::bytes(head, kNonce, response.nonce);
  for (const std::string& name : response.removed) wire::bytes(head, kRemoved, name);
  for (const ResourcePtr& resource : response.resources) {
    wire::header(head, kResources, resource->wire.size());
    if (resource->wire.size() < kShareFrom) {
      head += resource->wire;
      continue;
    }
    slices.push_back(sliceOf(head));
    slices.push_back(sharedSlice(resource));
    head.clear();
  }
  if (!head.empty()) slices.push_back(sliceOf(head));
  return ByteBuffer(slices.data(), slices.size());
}

bool decode(ByteBuffer& bytes, Request& request) {
  discovery::DeltaDiscoveryRequest message;
  if (!grpc::SerializationTraits<discovery::DeltaDiscoveryRequest>::Deserialize(&bytes, &message).ok()) return false;
  request.type = typeOfUrl(message.type_url());
  auto& subscribe = *message.mutable_resource_names_subscribe();
  auto& unsubscribe = *message.mutable_resource_names_unsubscribe();
  request.subscribe.assign(std::move_iterator(subscribe.begin()), std::move_iterator(subscribe.end()));
  request.unsubscribe.assign(std::move_iterator(unsubscribe.begin()), std::move_iterator(unsubscribe.end()));
  request.versions.assign(message.initial_resource_versions().begin(), message.initial_resource_versions().end());
  request.nonce = message.response_nonce();
  request.refused = message.has_error_detail();
  request.detail = message.error_detail().message();
  if (message.has_node()) request.envoy = buildOf(message.node());
  return true;
}

class Stream final : public grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>, public Connection {
 public:
  explicit Stream(Sink& sink) : sink_(sink) {}
  /// gRPC's share of this object, until OnDone.
  void open(std::shared_ptr<Stream> self) {
    self_ = std::move(self);
    sink_.opened(self_);
  }

  void read() override { StartRead(&incoming_); }
  void write(Response response) override {
    outgoing_ = encode(response);
    StartWrite(&outgoing_);
  }
  void finish() override { Finish(grpc::Status::OK); }

 private:
  void OnReadDone(bool ok) override {
    Request request;
    if (!ok || !decode(incoming_, request)) return sink_.closed(id());
    sink_.received(id(), std::move(request));
  }
  void OnWriteDone(bool ok) override { ok ? sink_.written(id()) : sink_.closed(id()); }
  void OnCancel() override { sink_.closed(id()); }
  void OnDone() override { const auto last = std::move(self_); }

  Sink& sink_;
  std::shared_ptr<Stream> self_;
  ByteBuffer incoming_, outgoing_;
};

using Base = discovery::AggregatedDiscoveryService;

/// The state-of-the-world method stays without a handler: gRPC answers UNIMPLEMENTED.
class Service final : public Base::WithRawCallbackMethod_DeltaAggregatedResources<
                          Base::WithCallbackMethod_StreamAggregatedResources<Base::Service>> {
 public:
  explicit Service(Sink& sink) : sink_(sink) {}
  grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* DeltaAggregatedResources(grpc::CallbackServerContext*) override {
    auto stream = std::make_shared<Stream>(sink_);
    Stream* reactor = stream.get();
    reactor->open(std::move(stream));
    return reactor;
  }

 private:
  Sink& sink_;
};

class GrpcTransport final : public Transport {
 public:
  explicit GrpcTransport(std::string address) : address_(std::move(address)) {}

  bool start(Sink& sink, std::string& error) override {
    const std::string path = address_.starts_with("unix:") ? address_.substr(5) : "";
    if (path.size() >= sizeof(sockaddr_un::sun_path)) {
      error = "the socket's path is longer than " + std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes: " + path;
      return false;
    }
    service_ = std::make_unique<Service>(sink);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(service_.get());
    builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
    builder.SetMaxSendMessageSize(-1);
    // Another instance on this port must fail, not share its clients.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1000);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
    // A client behind a dead network is noticed.
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
    server_ = builder.BuildAndStart();
    if (!server_ || port == 0) {
      error = "cannot listen on " + address_;
      server_ = nullptr;
      return false;
    }
    if (!path.empty() && path[0] == '/' && ::chmod(path.c_str(), 0600) != 0) {
      error = "cannot protect " + path + ": " + std::strerror(errno);
      stop();
      return false;
    }
    log::info("serving xDS", {{"address", address_}});
    return true;
  }

  void stop() override {
    if (!server_) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_ = nullptr;
  }

 private:
  const std::string address_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

std::unique_ptr<Transport> makeGrpcTransport(std::string address) { return std::make_unique<GrpcTransport>(std::move(address)); }

}  // namespace emissary::serve
