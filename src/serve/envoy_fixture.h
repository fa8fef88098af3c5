#pragma once
// For tests: a real Envoy that takes its configuration from a Server, all in a folder of its own. Sockets are Unix sockets,
// so any number runs side by side. The test's thread.

#include <google/protobuf/message.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "serve/resource.h"

namespace emissary::serve::testing {

/// A private folder that goes with its owner.
class Folder {
 public:
  Folder();
  ~Folder();
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Tries until it holds; false after a minute.
bool eventually(const std::function<bool()>& condition);

/// An HTTP GET over a Unix socket: status and body; status 0 when nobody answers.
struct Answer {
  int status = 0;
  std::string body;
};
Answer get(const std::string& socket, const std::string& path);

/// A UDP port of the loopback that swallows what it gets.
class BlackHole {
 public:
  BlackHole();
  ~BlackHole();
  int port() const { return port_; }

 private:
  int socket_ = -1;
  int port_ = 0;
};

/// The process.
class Envoy {
 public:
  /// `name` tells several in one folder apart.
  Envoy(const Folder& folder, const std::string& ads_socket, const std::string& name = "envoy");
  ~Envoy();
  Answer admin(const std::string& path) const { return get(admin_, path); }
  std::string log() const;

 private:
  std::string admin_, log_;
  int pid_ = -1;
};

/// A resource out of proto-JSON.
ResourcePtr fromJson(Type type, const std::string& name, google::protobuf::Message&& message, const std::string& json,
                     std::vector<std::string> clusters = {}, std::string endpoints = {});

}  // namespace emissary::serve::testing
