// The control plane's own share, without Envoy: parse, full compile, one changed Mapping, one changed endpoint, memory. Prints one
// JSON line a figure.
//
// Usage: engine_bench MAPPINGS MAPPINGS_PER_HOST SHAPE      (SHAPE: a, b or c, see docs/benchmarks.md)
// EMISSARY_ROUTE_LIST_LIMIT as for the product.

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>

#include "engine/engine.h"
#include "manifest/parse.h"
#include "model/parse.h"

namespace {

using namespace emissary;
using Clock = std::chrono::steady_clock;

double cpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Not the resident size: the heap keeps what the parser gave back, and the engine would seem to need nothing.
double allocatedMiB() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd) / (1 << 20);
}

std::vector<engine::Change> read(const std::string& yaml) {
  std::vector<engine::Change> changes;
  for (const manifest::Value& document : manifest::parse(yaml).documents) {
    for (const ObjectPtr& object : model::parseDocument(document, {"bench.yaml", "default"}).objects)
      changes.push_back({object->ref, object});
  }
  return changes;
}

struct Shape {
  int mappings;
  int per_host;
  char shape;

  std::string mapping(int i, int timeout_ms = 3000) const {
    return fmt::format(
        "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {{name: m{}, namespace: default}}\n"
        "spec: {{hostname: h{}.example.com, prefix: /p{}/, service: \"s{}:80\", timeout_ms: {}{}}}\n",
        i, i / per_host, i, shape == 'a' ? 0 : i, timeout_ms, shape == 'c' ? "" : ", resolver: endpoint");
  }
  static std::string service(int i) {
    return fmt::format(
        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{}, namespace: default}}\n"
        "spec: {{clusterIP: 10.96.{}.{}, ports: [{{port: 80, targetPort: 8080}}]}}\n",
        i, i / 250 % 250, i % 250 + 1);
  }
  static std::string slice(int i, int version = 1) {
    return fmt::format(
        "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: s{0}-x, namespace: default, labels: "
        "{{kubernetes.io/service-name: s{0}}}}}\naddressType: IPv4\nendpoints: [{{addresses: [10.77.{1}.{2}]}}]\nports: [{{port: "
        "8080}}]\n",
        i, version % 250, i % 250 + 1);
  }
  std::string all() const {
    std::string out =
        "---\napiVersion: getambassador.io/v3alpha1\nkind: Listener\nmetadata: {name: web, namespace: default}\n"
        "spec: {port: 8080, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}\n";
    for (int i = 0; i * per_host < mappings; ++i) {
      out += fmt::format(
          "---\napiVersion: getambassador.io/v3alpha1\nkind: Host\nmetadata: {{name: h{0}, namespace: default}}\n"
          "spec: {{hostname: h{0}.example.com, requestPolicy: {{insecure: {{action: Route}}}}}}\n",
          i);
    }
    for (int i = 0; i < (shape == 'a' ? 1 : mappings); ++i) out += service(i) + slice(i);
    for (int i = 0; i < mappings; ++i) out += mapping(i);
    return out;
  }
};

void print(const Shape& shape, const std::string& what, double value, const std::string& unit, const std::string& extra = "") {
  fmt::print(
      "{{\"bench\":\"engine\",\"shape\":\"{}\",\"mappings\":{},\"per_host\":{},\"measure\":\"{}\",\"value\":{:.4f},\"unit\":\"{}\"{"
      "}}}\n",
      shape.shape, shape.mappings, shape.per_host, what, value, unit, extra);
}

void repeat(const Shape& shape, const std::string& what, int times, const std::function<size_t(int)>& once) {
  std::vector<double> millis;
  size_t bytes = 0;
  const double cpu = cpuSeconds();
  for (int i = 0; i < times; ++i) {
    const auto start = Clock::now();
    bytes = once(i);
    millis.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  const double cpu_each = (cpuSeconds() - cpu) * 1000 / times;
  std::sort(millis.begin(), millis.end());
  print(shape, what, millis[millis.size() / 2], "ms",
        fmt::format(",\"min\":{:.4f},\"p99\":{:.4f},\"max\":{:.4f},\"cpu_ms\":{:.4f},\"bytes\":{},\"repetitions\":{}",
                    millis.front(), millis[(millis.size() * 99 + 99) / 100 - 1], millis.back(), cpu_each, bytes, times));
}

size_t bytesOf(const serve::Update& update) {
  size_t bytes = 0;
  for (const auto& resource : update.upserts) bytes += resource->wire.size();
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: {} MAPPINGS MAPPINGS_PER_HOST a|b|c\n", argv[0]);
    return 2;
  }
  const Shape shape{std::atoi(argv[1]), std::atoi(argv[2]), argv[3][0]};
  const std::string yaml = shape.all();
  double cpu = cpuSeconds();
  std::vector<engine::Change> objects = read(yaml);
  print(shape, "parse_cpu", (cpuSeconds() - cpu) * 1000, "ms",
        fmt::format(",\"objects\":{},\"bytes\":{}", objects.size(), yaml.size()));

  engine::Options options;
  if (const char* limit = std::getenv("EMISSARY_ROUTE_LIST_LIMIT"))
    options.route_list_limit = static_cast<size_t>(std::atoll(limit));
  const double before = allocatedMiB();
  engine::Engine engine(options);
  const serve::Update first = engine.apply(objects);
  print(shape, "engine_memory", allocatedMiB() - before, "MiB", fmt::format(",\"resources\":{}", first.upserts.size()));
  for (int i = 0; i < 3; ++i) {
    engine::Engine fresh(options);
    cpu = cpuSeconds();
    fresh.apply(objects);
    print(shape, "full_compile_cpu", (cpuSeconds() - cpu) * 1000, "ms");
  }

  std::vector<std::vector<engine::Change>> mappings, slices;
  for (int i = 0; i < 200; ++i) {
    mappings.push_back(read(shape.mapping(i * 37 % shape.mappings, 1000 + i)));
    slices.push_back(read(Shape::slice(shape.shape == 'a' ? 0 : i * 37 % shape.mappings, 2 + i)));
  }
  repeat(shape, "one_mapping_changed", 200, [&](int i) { return bytesOf(engine.apply(mappings[static_cast<size_t>(i)])); });
  repeat(shape, "one_endpoint_changed", 200, [&](int i) { return bytesOf(engine.apply(slices[static_cast<size_t>(i)])); });
  repeat(shape, "findings", 20, [&](int) { return engine.findings().size(); });
  return 0;
}
