#include "kube/config.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/base64.h"
#include "manifest/parse.h"

namespace emissary::kube {
namespace {

using manifest::Value;

constexpr size_t kMaxFile = 1u << 20;

/// One of the files, parsed.
struct File {
  std::filesystem::path folder;
  Value content;
};

/// An entry of `clusters`, `users` or `contexts`, and the file that it stands in.
struct Found {
  const Value* value = nullptr;
  const File* file = nullptr;
};

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find(':', begin), path.size());
    if (end > begin) out.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::optional<std::vector<File>> readAll(const std::string& path, std::string& error) {
  const std::vector<std::string> paths = split(path);
  std::vector<File> files;
  for (const std::string& one : paths) {
    std::error_code ignored;
    if (paths.size() > 1 && !std::filesystem::exists(one, ignored)) continue;
    const auto text = readSmallFile(one, error);
    if (!text) return std::nullopt;
    manifest::ParseResult parsed = manifest::parse(*text);
    if (parsed.error) {
      error = fmt::format("{}:{}: {}", one, parsed.error->line, parsed.error->message);
      return std::nullopt;
    }
    if (parsed.documents.empty()) continue;
    files.push_back({std::filesystem::absolute(one).parent_path(), std::move(parsed.documents.front())});
  }
  return files;
}

/// The entry called `name` in the list `list`; what it says stands under `key`.
Found find(const std::vector<File>& files, std::string_view list, std::string_view name, std::string_view key) {
  for (const File& file : files) {
    const Value* entries = file.content.find(list);
    if (entries == nullptr || !entries->isList()) continue;
    for (const Value& entry : entries->list) {
      if (entry.text("name") == name && entry.find(key) != nullptr) return {entry.find(key), &file};
    }
  }
  return {};
}

bool truth(const Value& value, std::string_view key) {
  const Value* flag = value.find(key);
  return flag != nullptr && flag->type == Value::Type::Bool && flag->boolean;
}

std::string pathOf(const Found& at, std::string_view name) {
  const std::filesystem::path path(name);
  return path.is_absolute() ? path.string() : (at.file->folder / path).string();
}

/// `NAME-data` wins over `NAME`.
bool readPem(const Found& at, const std::string& name, Pem& out, std::string& error) {
  if (const std::string_view data = at.value->text(name + "-data"); !data.empty()) {
    auto text = decodeBase64(data);
    if (!text) error = fmt::format("{}-data is no base64", name);
    else out.text = std::move(*text);
    return text.has_value();
  }
  if (const std::string_view file = at.value->text(name); !file.empty()) out.file = pathOf(at, file);
  return true;
}

bool readCluster(const Found& at, Config& config, std::string& error) {
  config.server = at.value->text("server");
  while (config.server.ends_with('/')) config.server.pop_back();
  config.insecure_skip_tls_verify = truth(*at.value, "insecure-skip-tls-verify");
  config.tls_server_name = at.value->text("tls-server-name");
  config.proxy_url = at.value->text("proxy-url");
  if (!config.server.starts_with("https://") && !config.server.starts_with("http://")) {
    error = "the cluster's server must be a URL such as https://10.0.0.1:6443";
    return false;
  }
  return readPem(at, "certificate-authority", config.ca, error);
}

ExecPlugin readExec(const Found& at, const Value& value) {
  ExecPlugin exec;
  exec.command = value.text("command");
  // A bare name is looked for on PATH, as by any shell.
  if (exec.command.find('/') != std::string::npos) exec.command = pathOf(at, exec.command);
  exec.api_version = value.text("apiVersion");
  exec.provide_cluster_info = truth(value, "provideClusterInfo");
  exec.install_hint = value.text("installHint");
  if (const Value* arguments = value.find("args"); arguments != nullptr) {
    for (const Value& argument : arguments->list) exec.arguments.push_back(argument.string);
  }
  if (const Value* environment = value.find("env"); environment != nullptr) {
    for (const Value& entry : environment->list) exec.environment.emplace_back(entry.text("name"), entry.text("value"));
  }
  return exec;
}

bool readUser(const Found& at, Config& config, std::string& error) {
  config.token = at.value->text("token");
  if (const std::string_view file = at.value->text("tokenFile"); !file.empty()) config.token_file = pathOf(at, file);
  config.username = at.value->text("username");
  config.password = at.value->text("password");
  if (const Value* exec = at.value->find("exec"); exec != nullptr && exec->isMap()) {
    config.exec = readExec(at, *exec);
    if (config.exec->command.empty()) error = "the user's exec names no command";
  }
  if (at.value->find("auth-provider") != nullptr && !config.exec) {
    error = "the user's auth-provider is not known here, nor to Kubernetes since 1.26; use an exec plugin";
  }
  return error.empty() && readPem(at, "client-certificate", config.client_certificate, error) &&
         readPem(at, "client-key", config.client_key, error);
}

}  // namespace

std::optional<std::string> readSmallFile(const std::string& path, std::string& error) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    error = fmt::format("{} cannot be read: {}", path, std::strerror(errno));
    return std::nullopt;
  }
  std::string text(kMaxFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (in.bad() || text.size() > kMaxFile) {
    error = fmt::format("{} cannot be read, or is larger than 1 MiB", path);
    return std::nullopt;
  }
  return text;
}

std::optional<Config> readKubeconfig(const std::string& path, std::string& error) {
  error.clear();
  const auto files = readAll(path, error);
  if (!files) return std::nullopt;
  const auto fail = [&](const std::string& why) {
    error = fmt::format("{}: {}", path, why);
    return std::nullopt;
  };
  std::string current;
  for (const File& file : *files) {
    if (current.empty()) current = file.content.text("current-context");
  }
  if (current.empty()) return fail("names no current-context");
  const Found context = find(*files, "contexts", current, "context");
  if (context.value == nullptr) return fail(fmt::format("has no context \"{}\"", current));
  const std::string cluster_name(context.value->text("cluster")), user_name(context.value->text("user"));
  const Found cluster = find(*files, "clusters", cluster_name, "cluster");
  if (cluster.value == nullptr) return fail(fmt::format("has no cluster \"{}\"", cluster_name));

  Config config;
  config.ns = context.value->text("namespace");
  std::string why;
  if (!readCluster(cluster, config, why)) return fail(why);
  if (const Found user = find(*files, "users", user_name, "user"); user.value != nullptr && user.value->isMap()) {
    if (!readUser(user, config, why)) return fail(why);
  } else if (!user_name.empty() && user.value == nullptr) {
    return fail(fmt::format("has no user \"{}\"", user_name));
  }
  return config;
}

std::optional<Config> inCluster(const std::string& host, const std::string& port, const std::string& folder, std::string& error) {
  if (host.empty() || port.empty()) {
    error =
        "not in a cluster (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set); name a cluster with --kubeconfig "
        "FILE, or a folder of manifests with --config-dir DIR";
    return std::nullopt;
  }
  Config config;
  config.server =
      host.find(':') == std::string::npos ? fmt::format("https://{}:{}", host, port) : fmt::format("https://[{}]:{}", host, port);
  config.ca.file = folder + "/ca.crt";
  config.token_file = folder + "/token";
  const auto ns = readSmallFile(folder + "/namespace", error);
  config.ns = ns.value_or("");
  while (!config.ns.empty() && (config.ns.back() == '\n' || config.ns.back() == ' ')) config.ns.pop_back();
  error.clear();
  if (!readSmallFile(config.token_file, error)) return std::nullopt;
  return config;
}

std::optional<Config> findConfig(const std::string& kubeconfig, const std::string& host, const std::string& port,
                                 std::string& error) {
  return kubeconfig.empty() ? inCluster(host, port, std::string(kServiceAccountFolder), error) : readKubeconfig(kubeconfig, error);
}

}  // namespace emissary::kube
