// Filters that look at bodies: Lua, gzip, buffer.

#include <envoy/extensions/compression/gzip/compressor/v3/gzip.pb.h>
#include <envoy/extensions/filters/http/buffer/v3/buffer.pb.h>
#include <envoy/extensions/filters/http/compressor/v3/compressor.pb.h>
#include <envoy/extensions/filters/http/lua/v3/lua.pb.h>

#include "generate/http_filters.h"

namespace emissary::generate {

void luaFilter(const model::HttpSettings& http, HttpConnectionManager& out) {
  if (http.lua_scripts.empty()) return;
  envoy::extensions::filters::http::lua::v3::Lua config;
  config.mutable_default_source_code()->set_inline_string(http.lua_scripts);
  addFilter("envoy.filters.http.lua", config, out);
}

void gzipFilter(const model::HttpSettings& http, HttpConnectionManager& out) {
  if (!http.gzip) return;
  using envoy::extensions::compression::gzip::compressor::v3::Gzip;
  const model::Gzip& gzip = *http.gzip;
  Gzip library;
  if (gzip.memory_level) library.mutable_memory_level()->set_value(*gzip.memory_level);
  if (gzip.window_bits) library.mutable_window_bits()->set_value(*gzip.window_bits);
  if (Gzip::CompressionLevel level{}; Gzip::CompressionLevel_Parse(gzip.compression_level, &level)) {
    library.set_compression_level(level);
  }
  if (Gzip::CompressionStrategy strategy{}; Gzip::CompressionStrategy_Parse(gzip.compression_strategy, &strategy)) {
    library.set_compression_strategy(strategy);
  }
  envoy::extensions::filters::http::compressor::v3::Compressor config;
  config.mutable_compressor_library()->set_name("gzip");
  packAny(library, config.mutable_compressor_library()->mutable_typed_config());
  auto* response = config.mutable_response_direction_config();
  if (gzip.min_content_length) {
    response->mutable_common_config()->mutable_min_content_length()->set_value(*gzip.min_content_length);
  }
  // Its successor, content_type_matcher, is unknown to Envoy 1.37.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  for (const std::string& type : gzip.content_type) response->mutable_common_config()->add_content_type(type);
#pragma GCC diagnostic pop
  response->set_disable_on_etag_header(gzip.disable_on_etag_header);
  response->set_remove_accept_encoding_header(gzip.remove_accept_encoding_header);
  addFilter("envoy.filters.http.gzip", config, out);
}

void bufferFilter(const model::HttpSettings& http, HttpConnectionManager& out) {
  if (!http.buffer_max_request_bytes) return;
  envoy::extensions::filters::http::buffer::v3::Buffer config;
  config.mutable_max_request_bytes()->set_value(*http.buffer_max_request_bytes);
  addFilter("envoy.filters.http.buffer", config, out);
}

}  // namespace emissary::generate
