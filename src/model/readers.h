#pragma once
// One function a kind: from the document to the typed fields in `object.spec`, findings into the report. Internal to this
// folder; pure, any thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/value.h"
#include "model/fields.h"
#include "model/object.h"

namespace emissary::model {

// getambassador.io: `spec` is the map under "spec"; the caller has read ambassador_id and ends with spec.finish().
void readMapping(Fields& spec, Object& object);
void readHost(Fields& spec, Object& object);
void readListener(Fields& spec, Object& object);
void readTlsContext(Fields& spec, Object& object);
void readResolver(Fields& spec, Object& object);
void readModule(Fields& spec, Object& object);
/// `tls_passthrough`: what the object's annotation of this name asks for.
inline constexpr std::string_view kPassthroughAnnotation = "getambassador.io/tls-passthrough";
void readTcpMapping(Fields& spec, bool tls_passthrough, Object& object);

// Kubernetes: the whole document, of which only what we use is read and checked.
void readService(const manifest::Value& document, Report& report);
void readEndpoints(const manifest::Value& document, Report& report);
void readEndpointSlice(const manifest::Value& document, Report& report);
void readSecret(const manifest::Value& document, Report& report);

// Parts that several kinds have.

/// A LabelSelector under `name`. False when absent or wrong.
bool readSelector(Fields& fields, std::string_view name, LabelSelector& out);
/// A map of texts, sorted by key. False after refusing the object.
bool readTextMap(Report& report, const manifest::Value& value, const Path& path, std::map<std::string, std::string>& out);

/// TLS settings: a Host's `tls` (which may be written in camelCase), or a TLSContext's fields.
enum class TlsOwner : uint8_t { Host, Context };
void readTlsSettings(Fields& fields, TlsOwner owner, TlsSettings& out);
/// The lists that Envoy hands to BoringSSL. What that does not know is left out, and refuses the object where nothing is left.
void readCipherSuites(Fields& fields, std::string_view name, std::vector<std::string>& out);
void readCurves(Fields& fields, std::string_view name, std::vector<std::string>& out);
void readAlpn(Fields& fields, std::string_view name, std::string& out);

// Policies, for Mappings and the Module. What is wrong with a part of one costs that part where the rest still means what was
// asked for; else the object is refused.
/// add_request_headers, add_response_headers: sorted by name.
void readAddedHeaders(Fields& fields, std::string_view name, std::optional<std::vector<HeaderValue>>& out);
/// remove_request_headers, remove_response_headers.
void readRemovedHeaders(Fields& fields, std::string_view name, std::optional<std::vector<std::string>>& out);
void readCors(Fields& fields, std::string_view name, std::optional<Cors>& out);
void readRetryPolicy(Fields& fields, std::string_view name, std::optional<RetryPolicy>& out);
/// The fields of a Mapping that shape its route and that few have.
void readRoutePolicy(Fields& spec, MappingPolicy& policy);
/// host_redirect and the fields that go with it.
void readRedirect(Fields& spec, MappingPolicy& policy);
/// A regular expression and what takes the place of its match. False when absent or wrong.
bool readRegexRewrite(Fields& spec, std::string_view name, std::optional<RegexRewrite>& out);

// What shapes clusters, for Mappings, TCPMappings and the Module.
void readCircuitBreakers(Fields& fields, std::string_view name, std::optional<std::vector<CircuitBreaker>>& out);
void readLoadBalancer(Fields& fields, std::string_view name, std::optional<LoadBalancer>& out);
/// The idle time may be called `idle_time` or `time`.
void readKeepalive(Fields& fields, std::string_view name, std::optional<Keepalive>& out);
void readHealthChecks(Fields& fields, std::string_view name, std::vector<HealthCheck>& out);
/// The fields of a Mapping that shape its cluster and that few have.
void readUpstreamPolicy(Fields& spec, MappingPolicy& policy);

/// Why Envoy would refuse `pattern`, or ""; with a `substitution`, also why that does not fit.
std::string regexProblem(const std::string& pattern, const std::string* substitution = nullptr);
/// The same for a field of a Mapping: its size is noted in `report`, since how large one may be is the Module's to say.
std::string regexProblem(Report& report, const Path& path, const std::string& pattern, const std::string* substitution = nullptr);

/// "": not an IP address; else "4" or "6".
std::string_view ipFamily(const std::string& text);

}  // namespace emissary::model
