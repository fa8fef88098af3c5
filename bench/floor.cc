// The floor: a bare delta ADS server that does nothing but hand prepared bytes to Envoy. What it needs for a change, Envoy and gRPC
// need; the product is judged by its distance to it. Shares no code with src/.
//
// Usage: floor SOCKET FILE...
//
// A FILE holds the resources to start with: *.bin is a sequence of envoy.service.discovery.v3.Resource, each behind its length
// (what bench/prepare writes); *.json an array of Envoy resources in proto-JSON, each with its "@type". Commands come on standard
// input, a line each: "prepare FILE" reads resources of a change, "push" sends them, the end of input ends the server. Events go to
// standard output, a JSON object a line, times in nanoseconds of CLOCK_MONOTONIC.

#include <envoy/service/discovery/v3/ads.grpc.pb.h>
#include <envoy/service/discovery/v3/discovery.pb.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/delimited_message_util.h>
#include <google/protobuf/util/json_util.h>
#include <grpcpp/grpcpp.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace discovery = envoy::service::discovery::v3;
using Stream = grpc::ServerReaderWriter<discovery::DeltaDiscoveryResponse, discovery::DeltaDiscoveryRequest>;
using Resources = std::vector<discovery::Resource>;

constexpr size_t kChunk = 500;
constexpr std::string_view kTypePrefix = "type.googleapis.com/";
constexpr std::array<std::string_view, 6> kOrder = {
    "envoy.config.cluster.v3.Cluster",
    "envoy.config.endpoint.v3.ClusterLoadAssignment",
    "envoy.extensions.transport_sockets.tls.v3.Secret",
    "envoy.config.listener.v3.Listener",
    "envoy.config.route.v3.ScopedRouteConfiguration",
    "envoy.config.route.v3.RouteConfiguration",
};

int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string shortType(const std::string& url) { return url.substr(url.rfind('.') + 1); }

[[noreturn]] void fail(const std::string& why) {
  std::cerr << "floor: " << why << "\n";
  std::_Exit(1);
}

// ---- reading prepared resources

Resources readBinary(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  google::protobuf::io::IstreamInputStream stream(&file);
  Resources out;
  bool clean = false;
  for (discovery::Resource resource; google::protobuf::util::ParseDelimitedFromZeroCopyStream(&resource, &stream, &clean);)
    out.push_back(std::move(resource));
  if (!clean) fail("cannot read " + path);
  return out;
}

const std::string& nameIn(const google::protobuf::Value& json) {
  const auto& fields = json.struct_value().fields();
  const auto name = fields.find("name");
  return name != fields.end() ? name->second.string_value() : fields.at("cluster_name").string_value();
}

Resources readJson(const std::string& path) {
  std::ifstream file(path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  google::protobuf::ListValue list;
  if (const auto status = google::protobuf::util::JsonStringToMessage(text, &list); !status.ok())
    fail(path + ": " + status.ToString());
  static int version = 0;
  Resources out;
  for (const google::protobuf::Value& json : list.values()) {
    discovery::Resource resource;
    std::string one;
    auto status = google::protobuf::util::MessageToJsonString(json, &one);
    if (status.ok()) status = google::protobuf::util::JsonStringToMessage(one, resource.mutable_resource());
    if (!status.ok()) fail(path + ": " + status.ToString());
    resource.set_name(nameIn(json));
    resource.set_version(std::to_string(++version));
    out.push_back(std::move(resource));
  }
  return out;
}

Resources readResources(const std::string& path) { return path.ends_with(".json") ? readJson(path) : readBinary(path); }

// ---- serving them

/// What one Envoy asked for of one type.
struct Subscription {
  bool started = false;
  bool wildcard = false;
  std::set<std::string> names;
};

/// The server's only state. All members are guarded by `mutex`, which is also held while writing to the stream.
class Floor final : public discovery::AggregatedDiscoveryService::Service {
 public:
  void add(Resources resources) {
    for (discovery::Resource& resource : resources) {
      auto& slot = all_[resource.resource().type_url()][resource.name()];
      slot = std::move(resource);
    }
  }

  void prepare(const Resources& resources) {
    const std::lock_guard lock(mutex_);
    prepared_.clear();
    for (const std::string_view type : kOrder) {
      discovery::DeltaDiscoveryResponse response;
      response.set_type_url(std::string(kTypePrefix) + std::string(type));
      for (const discovery::Resource& resource : resources) {
        if (resource.resource().type_url() == response.type_url()) *response.add_resources() = resource;
      }
      if (response.resources_size() > 0) prepared_.push_back(std::move(response));
    }
    event("{\"event\":\"prepared\",\"resources\":" + std::to_string(resources.size()) + "}");
  }

  void push() {
    const int64_t start = now();
    const std::lock_guard lock(mutex_);
    if (stream_ == nullptr) fail("push: no Envoy is connected");
    size_t bytes = 0, resources = 0;
    for (discovery::DeltaDiscoveryResponse& response : prepared_) {
      bytes += write(response);
      resources += static_cast<size_t>(response.resources_size());
    }
    const int64_t sent = now();
    for (discovery::DeltaDiscoveryResponse& response : prepared_) {
      for (const discovery::Resource& resource : response.resources()) all_[response.type_url()][resource.name()] = resource;
    }
    event("{\"event\":\"pushed\",\"ns\":" + std::to_string(start) + ",\"sent_ns\":" + std::to_string(sent) +
          ",\"bytes\":" + std::to_string(bytes) + ",\"resources\":" + std::to_string(resources) + "}");
  }

 private:
  grpc::Status DeltaAggregatedResources(grpc::ServerContext*, Stream* stream) override {
    {
      const std::lock_guard lock(mutex_);
      stream_ = stream;
      subscriptions_.clear();
    }
    for (discovery::DeltaDiscoveryRequest request; stream->Read(&request);) {
      const std::lock_guard lock(mutex_);
      if (!request.response_nonce().empty()) answered(request);
      subscribe(request);
    }
    const std::lock_guard lock(mutex_);
    if (stream_ == stream) stream_ = nullptr;
    return grpc::Status::OK;
  }

  void answered(const discovery::DeltaDiscoveryRequest& request) {
    const bool refused = request.has_error_detail();
    std::string line = "{\"event\":\"" + std::string(refused ? "nack" : "ack") + "\",\"type\":\"" + shortType(request.type_url()) +
                       "\",\"nonce\":" + request.response_nonce() + ",\"ns\":" + std::to_string(now());
    if (refused) {
      std::string message;
      google::protobuf::Value text;
      text.set_string_value(request.error_detail().message());
      if (google::protobuf::util::MessageToJsonString(text, &message).ok()) line += ",\"message\":" + message;
    }
    event(line + "}");
  }

  void subscribe(const discovery::DeltaDiscoveryRequest& request) {
    Subscription& subscription = subscriptions_[request.type_url()];
    const auto& all = all_[request.type_url()];
    std::vector<const discovery::Resource*> wanted;
    const bool wildcard = !subscription.started && request.resource_names_subscribe().empty();
    subscription.started = true;
    if (wildcard) {
      subscription.wildcard = true;
      for (const auto& [name, resource] : all) wanted.push_back(&resource);
    }
    for (const std::string& name : request.resource_names_unsubscribe()) subscription.names.erase(name);
    std::vector<std::string> missing;
    for (const std::string& name : request.resource_names_subscribe()) {
      if (name == "*") {
        subscription.wildcard = true;
        for (const auto& [each, resource] : all) wanted.push_back(&resource);
        continue;
      }
      subscription.names.insert(name);
      const auto found = all.find(name);
      if (found != all.end()) wanted.push_back(&found->second);
      else missing.push_back(name);
    }
    if (wanted.empty() && missing.empty() && !wildcard) return;
    size_t next = 0;
    do {
      discovery::DeltaDiscoveryResponse response;
      response.set_type_url(request.type_url());
      for (const size_t end = std::min(next + kChunk, wanted.size()); next < end; ++next) *response.add_resources() = *wanted[next];
      if (next >= wanted.size()) {
        for (std::string& name : missing) response.add_removed_resources(std::move(name));
      }
      write(response);
    } while (next < wanted.size());
  }

  size_t write(discovery::DeltaDiscoveryResponse& response) {
    response.set_nonce(std::to_string(++nonce_));
    stream_->Write(response);
    return response.ByteSizeLong();
  }

  static void event(const std::string& line) { std::cout << line << std::endl; }

  std::mutex mutex_;
  std::map<std::string, std::map<std::string, discovery::Resource>> all_;
  std::vector<discovery::DeltaDiscoveryResponse> prepared_;
  std::map<std::string, Subscription> subscriptions_;
  Stream* stream_ = nullptr;
  uint64_t nonce_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: floor SOCKET FILE...\n";
    return 2;
  }
  Floor floor;
  for (int i = 2; i < argc; ++i) floor.add(readResources(argv[i]));
  grpc::ServerBuilder builder;
  builder.AddListeningPort(std::string("unix:") + argv[1], grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(-1);
  builder.SetMaxSendMessageSize(-1);
  builder.RegisterService(&floor);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) fail(std::string("cannot listen on ") + argv[1]);
  std::cout << "{\"event\":\"serving\"}" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    if (line.starts_with("prepare ")) floor.prepare(readResources(line.substr(8)));
    else if (line == "push") floor.push();
    else fail("unknown command: " + line);
  }
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}
