#pragma once
// envoy.config.accesslog.v3.AccessLog of the HTTP connection manager, and the format strings that answers share with it.

#include <envoy/config/accesslog/v3/accesslog.pb.h>
#include <envoy/config/core/v3/substitution_format_string.pb.h>

#include <map>
#include <string>

#include "model/module.h"

namespace emissary::generate {

void accessLog(const model::AccessLog& log, envoy::config::accesslog::v3::AccessLog* out);

void jsonFormat(const std::map<std::string, std::string>& values, envoy::config::core::v3::SubstitutionFormatString* out);

}  // namespace emissary::generate
