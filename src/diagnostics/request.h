#pragma once
// A question to diagnostics and its answer, without the HTTP around them.

#include <map>
#include <string>

namespace emissary::diagnostics {

struct Request {
  std::string method = "GET";
  std::string path;
  std::map<std::string, std::string> parameters;
  /// The peer is this machine, by its address. What comes through our Envoy is local.
  bool local = false;
  std::string scheme = "http";
  std::string host;

  /// "" when it is not there.
  std::string parameter(const std::string& name) const {
    const auto it = parameters.find(name);
    return it == parameters.end() ? "" : it->second;
  }
};

struct Reply {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  /// With a redirect.
  std::string location;
};

}  // namespace emissary::diagnostics
