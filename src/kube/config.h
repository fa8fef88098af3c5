#pragma once
// Where the API server is and as whom we speak to it: from a kubeconfig, or from the files that a Pod's ServiceAccount is given.
// Reading files is all that happens here; tokens that have to be fetched or read again are credentials.h's.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace emissary::kube {

/// PEM text, or the file that it is read from at need, since files are replaced.
struct Pem {
  std::string text;
  std::string file;
  bool empty() const { return text.empty() && file.empty(); }
};

/// A program that prints an ExecCredential (client.authentication.k8s.io).
struct ExecPlugin {
  std::string command;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string api_version;
  /// Tell it the cluster in KUBERNETES_EXEC_INFO.
  bool provide_cluster_info = false;
  std::string install_hint;
};

struct Config {
  /// "https://10.0.0.1:6443", without a slash at its end; may have a path.
  std::string server;
  Pem ca;
  bool insecure_skip_tls_verify = false;
  /// The name that the server's certificate is held against, where it is not the server's own.
  std::string tls_server_name;
  std::string proxy_url;

  Pem client_certificate;
  Pem client_key;
  std::string token;
  /// Wins over `token`.
  std::string token_file;
  std::string username;
  std::string password;
  std::optional<ExecPlugin> exec;

  /// Of the context; "" where it names none.
  std::string ns;
};

/// The current context of a kubeconfig. `path`: one file, or several with ':' between them, of which the first that says something
/// counts, and those that do not exist are left out. Relative names in a file are relative to its folder.
std::optional<Config> readKubeconfig(const std::string& path, std::string& error);

/// What a Pod finds in /var/run/secrets/kubernetes.io/serviceaccount, and KUBERNETES_SERVICE_HOST and _PORT. `folder` is that one.
std::optional<Config> inCluster(const std::string& host, const std::string& port, const std::string& folder, std::string& error);
inline constexpr std::string_view kServiceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The kubeconfig if one is named, else what a Pod finds.
std::optional<Config> findConfig(const std::string& kubeconfig, const std::string& host, const std::string& port,
                                 std::string& error);

/// The whole file; nothing, with a reason, when it cannot be read or is larger than 1 MiB.
std::optional<std::string> readSmallFile(const std::string& path, std::string& error);

}  // namespace emissary::kube
