#pragma once
// As whom a request is made, at this moment: tokens and certificates that live in files are read again, since they are replaced
// while we run, and those of an exec plugin are fetched anew before they expire, or when the server did not accept them.
// Belongs to one loop; an exec plugin runs in a thread of its own meanwhile.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kube/config.h"
#include "kube/loop.h"

namespace emissary::kube {

/// What an exec plugin gives.
struct ExecCredential {
  std::string token;
  std::string client_certificate;  // PEM
  std::string client_key;          // PEM
  /// Absent: until the server says no.
  std::optional<std::chrono::system_clock::time_point> expires;
};

/// Run the plugin, and wait for it, at most `patience`. Its standard error goes to ours. Nothing, with a reason (never what it
/// printed), when it fails.
std::optional<ExecCredential> runPlugin(const ExecPlugin& plugin, const Config& config, std::chrono::milliseconds patience,
                                        std::string& error);
/// What a plugin printed.
std::optional<ExecCredential> readExecCredential(std::string_view text, std::string& error);

class Credentials {
 public:
  struct Now {
    /// Of the header Authorization; "" for none.
    std::string authorization;
    std::string ca;                  // PEM; "" : the system's
    std::string client_certificate;  // PEM
    std::string client_key;          // PEM
    /// Why there is nothing to go with; "" when all is well.
    std::string problem;
  };
  using Ready = std::function<void(const Now&)>;

  Credentials(const Config& config, Loop& loop);
  ~Credentials();
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  /// `ready` is called on the loop, at once where nothing has to be fetched.
  void get(Ready ready);
  /// The server said 401: what we have is read or fetched anew with the next get().
  void refused();
  /// The server's certificate was not believed: the authorities that it is held against are read again.
  void distrusted();

 private:
  struct Shared;
  bool fresh() const;
  void readPem(const Pem& from, std::string& out);
  void readFiles();
  void fetch();
  void fetched(std::optional<ExecCredential> got, const std::string& error);

  const Config config_;
  Loop& loop_;
  Now now_;
  std::optional<Loop::Clock::time_point> read_at_;
  std::optional<ExecCredential> plugin_;
  bool fetching_ = false;
  Loop::Clock::time_point not_before_{};  // a plugin that fails is not asked again at once
  std::vector<Ready> waiting_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace emissary::kube
