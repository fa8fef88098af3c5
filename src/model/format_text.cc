#include "model/format_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "model/text.h"

namespace emissary::model {
namespace {

enum class Takes : uint8_t {
  Nothing,
  Time,    // a format of its own, or nothing
  Header,  // a name, perhaps "?other"; and a length
  Key,     // any text; and a length
  State,   // key[:PLAIN|:TYPED]; and a length
  Grpc,    // CAMEL_STRING …, or nothing
  Path,    // WQ or NQ, then :ORIG …, or nothing
  Points,  // two points of time, perhaps a unit
};

struct Operator {
  std::string_view name;
  Takes takes = Takes::Nothing;
};

// Sorted. Left out on purpose: ENVIRONMENT, FILE_CONTENT, SECRET (they read what is not of the request), CEL and COALESCE
// (languages of their own), and what Envoy 1.37 does not know.
constexpr std::array kOperators = {
    Operator{"ACCESS_LOG_TYPE"},
    Operator{"BYTES_RECEIVED"},
    Operator{"BYTES_RETRANSMITTED"},
    Operator{"BYTES_SENT"},
    Operator{"CLUSTER_METADATA", Takes::Key},
    Operator{"COMMON_DURATION", Takes::Points},
    Operator{"CONNECTION_ID"},
    Operator{"CONNECTION_TERMINATION_DETAILS"},
    Operator{"DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED"},
    Operator{"DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT"},
    Operator{"DOWNSTREAM_DIRECT_LOCAL_ADDRESS"},
    Operator{"DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT"},
    Operator{"DOWNSTREAM_DIRECT_LOCAL_PORT"},
    Operator{"DOWNSTREAM_DIRECT_REMOTE_ADDRESS"},
    Operator{"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT"},
    Operator{"DOWNSTREAM_DIRECT_REMOTE_PORT"},
    Operator{"DOWNSTREAM_HANDSHAKE_DURATION"},
    Operator{"DOWNSTREAM_HEADER_BYTES_RECEIVED"},
    Operator{"DOWNSTREAM_HEADER_BYTES_SENT"},
    Operator{"DOWNSTREAM_LOCAL_ADDRESS"},
    Operator{"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT"},
    Operator{"DOWNSTREAM_LOCAL_DNS_SAN"},
    Operator{"DOWNSTREAM_LOCAL_EMAIL_SAN"},
    Operator{"DOWNSTREAM_LOCAL_IP_SAN"},
    Operator{"DOWNSTREAM_LOCAL_OTHERNAME_SAN"},
    Operator{"DOWNSTREAM_LOCAL_PORT"},
    Operator{"DOWNSTREAM_LOCAL_SUBJECT"},
    Operator{"DOWNSTREAM_LOCAL_URI_SAN"},
    Operator{"DOWNSTREAM_PEER_CERT"},
    Operator{"DOWNSTREAM_PEER_CERT_V_END", Takes::Time},
    Operator{"DOWNSTREAM_PEER_CERT_V_START", Takes::Time},
    Operator{"DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1"},
    Operator{"DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256"},
    Operator{"DOWNSTREAM_PEER_CHAIN_SERIALS"},
    Operator{"DOWNSTREAM_PEER_DNS_SAN"},
    Operator{"DOWNSTREAM_PEER_EMAIL_SAN"},
    Operator{"DOWNSTREAM_PEER_FINGERPRINT_1"},
    Operator{"DOWNSTREAM_PEER_FINGERPRINT_256"},
    Operator{"DOWNSTREAM_PEER_IP_SAN"},
    Operator{"DOWNSTREAM_PEER_ISSUER"},
    Operator{"DOWNSTREAM_PEER_OTHERNAME_SAN"},
    Operator{"DOWNSTREAM_PEER_SERIAL"},
    Operator{"DOWNSTREAM_PEER_SUBJECT"},
    Operator{"DOWNSTREAM_PEER_URI_SAN"},
    Operator{"DOWNSTREAM_REMOTE_ADDRESS"},
    Operator{"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT"},
    Operator{"DOWNSTREAM_REMOTE_PORT"},
    Operator{"DOWNSTREAM_TLS_CIPHER"},
    Operator{"DOWNSTREAM_TLS_SESSION_ID"},
    Operator{"DOWNSTREAM_TLS_VERSION"},
    Operator{"DOWNSTREAM_TRANSPORT_FAILURE_REASON"},
    Operator{"DOWNSTREAM_WIRE_BYTES_RECEIVED"},
    Operator{"DOWNSTREAM_WIRE_BYTES_SENT"},
    Operator{"DURATION"},
    Operator{"DYNAMIC_METADATA", Takes::Key},
    Operator{"EMIT_TIME", Takes::Time},
    Operator{"EMIT_TIME_LOCAL", Takes::Time},
    Operator{"FILTER_CHAIN_NAME"},
    Operator{"FILTER_STATE", Takes::State},
    Operator{"GRPC_STATUS", Takes::Grpc},
    Operator{"GRPC_STATUS_NUMBER"},
    Operator{"HOSTNAME"},
    Operator{"LOCAL_REPLY_BODY"},
    Operator{"PACKETS_RETRANSMITTED"},
    Operator{"PATH", Takes::Path},
    Operator{"PROTOCOL"},
    Operator{"QUERY_PARAM", Takes::Key},
    Operator{"REQ", Takes::Header},
    Operator{"REQUESTED_SERVER_NAME"},
    Operator{"REQUEST_DURATION"},
    Operator{"REQUEST_HEADER", Takes::Header},
    Operator{"REQUEST_HEADERS_BYTES"},
    Operator{"REQUEST_TX_DURATION"},
    Operator{"RESP", Takes::Header},
    Operator{"RESPONSE_CODE"},
    Operator{"RESPONSE_CODE_DETAILS"},
    Operator{"RESPONSE_DURATION"},
    Operator{"RESPONSE_FLAGS"},
    Operator{"RESPONSE_FLAGS_LONG"},
    Operator{"RESPONSE_HEADERS_BYTES"},
    Operator{"RESPONSE_TRAILERS_BYTES"},
    Operator{"RESPONSE_TX_DURATION"},
    Operator{"ROUNDTRIP_DURATION"},
    Operator{"ROUTE_NAME"},
    Operator{"START_TIME", Takes::Time},
    Operator{"START_TIME_LOCAL", Takes::Time},
    Operator{"STREAM_ID"},
    Operator{"TLS_JA3_FINGERPRINT"},
    Operator{"TLS_JA4_FINGERPRINT"},
    Operator{"TRACE_ID"},
    Operator{"TRAILER", Takes::Header},
    Operator{"UNIQUE_ID"},
    Operator{"UPSTREAM_CLUSTER"},
    Operator{"UPSTREAM_CLUSTER_RAW"},
    Operator{"UPSTREAM_CONNECTION_ID"},
    Operator{"UPSTREAM_CONNECTION_POOL_READY_DURATION"},
    Operator{"UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED"},
    Operator{"UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT"},
    Operator{"UPSTREAM_HEADER_BYTES_RECEIVED"},
    Operator{"UPSTREAM_HEADER_BYTES_SENT"},
    Operator{"UPSTREAM_HOST"},
    Operator{"UPSTREAM_HOST_NAME"},
    Operator{"UPSTREAM_HOST_NAME_WITHOUT_PORT"},
    Operator{"UPSTREAM_LOCAL_ADDRESS"},
    Operator{"UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT"},
    Operator{"UPSTREAM_LOCAL_PORT"},
    Operator{"UPSTREAM_LOCAL_URI_SAN"},
    Operator{"UPSTREAM_METADATA", Takes::Key},
    Operator{"UPSTREAM_PEER_CERT"},
    Operator{"UPSTREAM_PEER_CERT_V_END", Takes::Time},
    Operator{"UPSTREAM_PEER_CERT_V_START", Takes::Time},
    Operator{"UPSTREAM_PEER_DNS_SAN"},
    Operator{"UPSTREAM_PEER_IP_SAN"},
    Operator{"UPSTREAM_PEER_ISSUER"},
    Operator{"UPSTREAM_PEER_SUBJECT"},
    Operator{"UPSTREAM_PEER_URI_SAN"},
    Operator{"UPSTREAM_PROTOCOL"},
    Operator{"UPSTREAM_REMOTE_ADDRESS"},
    Operator{"UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT"},
    Operator{"UPSTREAM_REMOTE_PORT"},
    Operator{"UPSTREAM_REQUEST_ATTEMPT_COUNT"},
    Operator{"UPSTREAM_TLS_CIPHER"},
    Operator{"UPSTREAM_TLS_SESSION_ID"},
    Operator{"UPSTREAM_TLS_VERSION"},
    Operator{"UPSTREAM_TRANSPORT_FAILURE_REASON"},
    Operator{"UPSTREAM_WIRE_BYTES_RECEIVED"},
    Operator{"UPSTREAM_WIRE_BYTES_SENT"},
    Operator{"VIRTUAL_CLUSTER_NAME"},
};

constexpr std::array<std::string_view, 3> kGrpc = {"CAMEL_STRING", "NUMBER", "SNAKE_STRING"};
constexpr std::array<std::string_view, 8> kPaths = {"NQ", "NQ:ORIG", "NQ:ORIG_OR_PATH", "NQ:PATH",
                                                    "WQ", "WQ:ORIG", "WQ:ORIG_OR_PATH", "WQ:PATH"};
constexpr std::array<std::string_view, 10> kPoints = {"DS_RX_BEG", "DS_RX_END", "DS_TX_BEG", "DS_TX_END", "US_CX_BEG",
                                                      "US_CX_END", "US_HS_END", "US_RX_BEG", "US_TX_BEG", "US_TX_END"};

template <size_t N>
bool isOneOf(std::string_view text, const std::array<std::string_view, N>& choices) {
  return std::find(choices.begin(), choices.end(), text) != choices.end();
}

bool isHeader(std::string_view text) {
  const size_t mark = text.find('?');
  if (mark == std::string_view::npos) return isHeaderName(text);
  return isHeaderName(text.substr(0, mark)) && isHeaderName(text.substr(mark + 1));
}

bool arePoints(std::string_view text) {
  const size_t first = text.find(':');
  if (first == std::string_view::npos) return false;
  std::string_view rest = text.substr(first + 1);
  std::string_view unit = "ms";
  if (const size_t second = rest.find(':'); second != std::string_view::npos) {
    unit = rest.substr(second + 1);
    rest = rest.substr(0, second);
  }
  return isOneOf(text.substr(0, first), kPoints) && isOneOf(rest, kPoints) && (unit == "ms" || unit == "us" || unit == "ns");
}

/// One operator as written, without the two '%'.
struct Written {
  std::string_view name;
  std::optional<std::string_view> argument;
  bool length = false;
  size_t size = 0;
};

/// `text` begins behind a '%'. Nothing where it is no operator.
std::optional<Written> parse(std::string_view text) {
  Written out;
  const auto nameEnds = [](char c) { return !((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'); };
  size_t at = static_cast<size_t>(std::find_if(text.begin(), text.end(), nameEnds) - text.begin());
  out.name = text.substr(0, at);
  if (out.name.empty()) return std::nullopt;
  if (at < text.size() && text[at] == '(') {
    const size_t close = text.find(')', at);
    if (close == std::string_view::npos) return std::nullopt;
    out.argument = text.substr(at + 1, close - at - 1);
    if (out.argument->find_first_of("\r\n\t") != std::string_view::npos) return std::nullopt;
    at = close + 1;
  }
  if (at < text.size() && text[at] == ':') {
    const size_t end = std::min(text.find_first_not_of("0123456789", at + 1), text.size());
    if (end == at + 1 || end - at > 7) return std::nullopt;
    out.length = true;
    at = end;
  }
  if (at >= text.size() || text[at] != '%') return std::nullopt;
  out.size = at + 1;
  return out;
}

std::string problemOf(const Written& written) {
  const auto known = std::lower_bound(kOperators.begin(), kOperators.end(), written.name,
                                      [](const Operator& o, std::string_view name) { return o.name < name; });
  if (known == kOperators.end() || known->name != written.name) {
    return fmt::format("holds %{}%, which is not an operator that may be used here", printable(written.name, 64));
  }
  const bool given = written.argument.has_value();
  const std::string_view argument = written.argument.value_or("");
  bool good = true, length = false;
  std::string_view example;
  switch (known->takes) {
    case Takes::Nothing: good = !given; break;
    case Takes::Time: good = argument.size() < 200; break;
    case Takes::Header: good = isHeader(argument), length = true, example = "(X-NAME)"; break;
    case Takes::Key: good = !argument.empty(), length = true, example = "(name)"; break;
    case Takes::State:
      good = !argument.empty() && argument.find(':') == std::string_view::npos, length = true, example = "(key)";
      break;
    case Takes::Grpc: good = !given || isOneOf(argument, kGrpc); break;
    case Takes::Path: good = !given || isOneOf(argument, kPaths), example = "(NQ)"; break;
    case Takes::Points: good = arePoints(argument), example = "(DS_RX_BEG:US_RX_BEG:ms)"; break;
  }
  if (good && (length || !written.length)) return {};
  return fmt::format("holds %{}% in a form that Envoy does not take; write %{}{}%", printable(written.name, 64), known->name,
                     example);
}

}  // namespace

std::string formatProblem(std::string_view format) {
  for (size_t at = 0; (at = format.find('%', at)) != std::string_view::npos;) {
    if (at + 1 < format.size() && format[at + 1] == '%') {
      at += 2;
      continue;
    }
    const std::optional<Written> written = parse(format.substr(at + 1));
    if (!written) {
      return fmt::format("holds a '%' that begins no operator, at {}; write %% for the character itself",
                         quoted(format.substr(at), 24));
    }
    if (std::string problem = problemOf(*written); !problem.empty()) return problem;
    at += 1 + written->size;
  }
  return {};
}

std::string withPercentsDoubled(std::string_view format) {
  std::string out;
  for (size_t at = 0; at < format.size();) {
    size_t size = 1;
    if (format[at] == '%') {
      const std::string_view rest = format.substr(at + 1);
      const std::optional<Written> written = parse(rest);
      const char next = rest.empty() ? ' ' : rest[0];
      const bool letter = (next >= 'A' && next <= 'Z') || (next >= 'a' && next <= 'z');
      if (next == '%') {
        size = 2;
      } else if (written) {
        size = 1 + written->size;
      } else if (!letter) {
        out += '%';
      }
    }
    out += format.substr(at, size);
    at += size;
  }
  return out;
}

bool isOneOperator(std::string_view format) {
  if (format.size() < 3 || format[0] != '%' || format[1] == '%') return false;
  const std::optional<Written> written = parse(format.substr(1));
  return written && written->size + 1 == format.size();
}

}  // namespace emissary::model
