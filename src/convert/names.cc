// Fields that have one name in v2 and another in v3alpha1, and fields that only one of them has.

#include <fmt/format.h>

#include <array>

#include "convert/rules.h"

namespace emissary::convert {
namespace {

struct NameRow {
  std::string_view kind;
  std::string_view parent;  // "": the spec itself
  std::string_view older;
  std::string_view newer;
};

constexpr std::array kNames = {
    NameRow{"AuthService", "", "v3CircuitBreakers", "circuit_breakers"},
    NameRow{"AuthService", "", "v3StatsName", "stats_name"},
    NameRow{"Host", "", "selector", "mappingSelector"},
    NameRow{"Host", "tls", "v3CRLSecret", "crl_secret"},
    NameRow{"LogService", "", "v3ProtocolVersion", "protocol_version"},
    NameRow{"LogService", "", "v3StatsName", "stats_name"},
    NameRow{"Mapping", "", "v3StatsName", "stats_name"},
    NameRow{"Mapping", "", "v3health_checks", "health_checks"},
    NameRow{"RateLimitService", "", "v3GRPC", "grpc"},
    NameRow{"RateLimitService", "", "v3StatsName", "stats_name"},
    NameRow{"TCPMapping", "", "v3StatsName", "stats_name"},
    NameRow{"TLSContext", "", "v3CRLSecret", "crl_secret"},
    NameRow{"TracingService", "", "v3CustomTags", "custom_tags"},
    NameRow{"TracingService", "", "v3StatsName", "stats_name"},
    NameRow{"TracingService", "config", "v3PropagationModes", "propagation_modes"},
};

/// Fields that v3alpha1 has to remember how v2 was written.
struct MemoryRow {
  std::string_view kind;
  std::string_view name;
};

constexpr std::array kMemory = {
    MemoryRow{"AuthService", "v2ExplicitTLS"},      MemoryRow{"Mapping", "v2ExplicitTLS"},
    MemoryRow{"RateLimitService", "v2ExplicitTLS"}, MemoryRow{"TCPMapping", "v2ExplicitTLS"},
    MemoryRow{"Mapping", "v2BoolHeaders"},          MemoryRow{"Mapping", "v2BoolQueryParameters"},
};

Value* parentOf(Value& spec, std::string_view name) { return name.empty() ? &spec : find(spec, name); }

std::string pathOf(const NameRow& row, std::string_view name) {
  return row.parent.empty() ? fmt::format("spec.{}", name) : fmt::format("spec.{}.{}", row.parent, name);
}

}  // namespace

void renameToNew(std::string_view kind, Value& spec, Notes& notes) {
  for (const NameRow& row : kNames) {
    Value* parent = row.kind == kind ? parentOf(spec, row.parent) : nullptr;
    if (parent == nullptr) continue;
    if (const auto unknown = take(*parent, row.newer)) notes.dropped(pathOf(row, row.newer), unknown->line, row.older);
    if (rename(*parent, row.older, row.newer)) notes.renamed(pathOf(row, row.newer), pathOf(row, row.older));
  }
  for (const MemoryRow& row : kMemory) {
    if (row.kind != kind) continue;
    if (const auto unknown = take(spec, row.name)) notes.dropped(fmt::format("spec.{}", row.name), unknown->line, "");
  }
}

void renameToOld(std::string_view kind, Value& spec) {
  if (kind == "Host" && find(spec, "mappingSelector") == nullptr) rename(spec, "selector", "mappingSelector");  // its old name
  for (const NameRow& row : kNames) {
    Value* parent = row.kind == kind ? parentOf(spec, row.parent) : nullptr;
    if (parent == nullptr) continue;
    take(*parent, row.older);
    rename(*parent, row.newer, row.older);
  }
}

}  // namespace emissary::convert
