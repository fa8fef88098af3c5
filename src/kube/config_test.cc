#include "kube/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kube/credentials.h"

namespace emissary::kube {
namespace {

class KubeConfig : public testing::Test {
 protected:
  KubeConfig() {
    std::string pattern = (std::filesystem::temp_directory_path() / "kubeconfig-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~KubeConfig() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder_ / name;
    std::ofstream(path) << text;
    return path;
  }
  std::optional<Config> read(const std::string& text) { return readKubeconfig(write("config", text), error_); }

  std::filesystem::path folder_;
  std::string error_;
};

TEST_F(KubeConfig, TheCurrentContextCounts) {
  const auto config = read(R"(
apiVersion: v1
kind: Config
current-context: two
contexts:
- {name: one, context: {cluster: a, user: u}}
- {name: two, context: {cluster: b, user: v, namespace: edge}}
clusters:
- {name: a, cluster: {server: "https://a:1"}}
- {name: b, cluster: {server: "https://b:2/", certificate-authority-data: Q0E=, tls-server-name: kubernetes, proxy-url: "http://p:3"}}
users:
- {name: u, user: {token: no}}
- {name: v, user: {token: "yes", client-certificate: c.pem, client-key: /k.pem}}
)");
  ASSERT_TRUE(config) << error_;
  EXPECT_EQ(config->server, "https://b:2");
  EXPECT_EQ(config->ca.text, "CA");
  EXPECT_EQ(config->tls_server_name, "kubernetes");
  EXPECT_EQ(config->proxy_url, "http://p:3");
  EXPECT_EQ(config->token, "yes");
  EXPECT_EQ(config->client_certificate.file, folder_ / "c.pem");
  EXPECT_EQ(config->client_key.file, "/k.pem");
  EXPECT_EQ(config->ns, "edge");
}

TEST_F(KubeConfig, AnExecPlugin) {
  const auto config = read(R"(
current-context: x
contexts: [{name: x, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://c:6443", insecure-skip-tls-verify: true}}]
users:
- name: u
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: ./get-token
      args: [--cluster, c]
      env: [{name: A, value: b}]
      provideClusterInfo: true
)");
  ASSERT_TRUE(config && config->exec) << error_;
  EXPECT_TRUE(config->insecure_skip_tls_verify);
  EXPECT_EQ(std::filesystem::path(config->exec->command).lexically_normal(), folder_ / "get-token");
  EXPECT_EQ(config->exec->arguments, (std::vector<std::string>{"--cluster", "c"}));
  EXPECT_EQ(config->exec->environment.at(0).second, "b");
  EXPECT_TRUE(config->exec->provide_cluster_info);
}

TEST_F(KubeConfig, SeveralFilesAreOne) {
  const std::string one = write("one", "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n");
  const std::string two = write("two",
                                "current-context: other\nclusters: [{name: c, cluster: {server: 'https://c'}}]\n"
                                "users: [{name: u, user: {username: anna, password: p}}]\n");
  const auto config = readKubeconfig(one + ":" + (folder_ / "absent").string() + ":" + two, error_);
  ASSERT_TRUE(config) << error_;
  EXPECT_EQ(config->server, "https://c");
  EXPECT_EQ(config->username, "anna");
}

TEST_F(KubeConfig, MistakesAreNamed) {
  const std::string rest = "contexts: [{name: x, context: {cluster: c, user: u}}]\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "names no current-context"},
      {"{", "line"},
      {"current-context: other\n" + rest, "has no context \"other\""},
      {"current-context: x\n" + rest, "has no cluster \"c\""},
      {"current-context: x\nclusters: [{name: c, cluster: {server: c}}]\n" + rest, "must be a URL"},
      {"current-context: x\nclusters: [{name: c, cluster: {server: 'https://c'}}]\n" + rest, "has no user \"u\""},
      {"current-context: x\nclusters: [{name: c, cluster: {server: 'https://c', certificate-authority-data: '!'}}]\n" + rest,
       "certificate-authority-data is no base64"},
      {"current-context: x\nclusters: [{name: c, cluster: {server: 'https://c'}}]\nusers: [{name: u, user: {auth-provider: {name: "
       "gcp}}}]\n" +
           rest,
       "exec plugin"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_FALSE(read(text)) << text;
    EXPECT_TRUE(expected == "line" ? !error_.empty() : error_.find(expected) != std::string::npos) << error_;
  }
  EXPECT_FALSE(readKubeconfig((folder_ / "absent").string(), error_));
  EXPECT_NE(error_.find("cannot be read"), std::string::npos);
}

TEST_F(KubeConfig, InACluster) {
  write("token", "t");
  write("ca.crt", "CA");
  write("namespace", "edge\n");
  const auto config = inCluster("fd00::1", "443", folder_.string(), error_);
  ASSERT_TRUE(config) << error_;
  EXPECT_EQ(config->server, "https://[fd00::1]:443");
  EXPECT_EQ(config->ns, "edge");
  EXPECT_EQ(config->token_file, folder_ / "token");
  EXPECT_FALSE(inCluster("", "", folder_.string(), error_));
  EXPECT_NE(error_.find("--kubeconfig"), std::string::npos);
  EXPECT_FALSE(inCluster("10.0.0.1", "443", (folder_ / "absent").string(), error_));
}

class Plugin : public KubeConfig {
 protected:
  std::optional<ExecCredential> run(const std::string& script, std::chrono::milliseconds patience = std::chrono::minutes(1)) {
    ExecPlugin plugin;
    plugin.command = "sh";
    plugin.arguments = {"-c", script};
    plugin.environment = {{"SAID", "from the kubeconfig"}};
    plugin.api_version = "client.authentication.k8s.io/v1";
    return runPlugin(plugin, {}, patience, error_);
  }
};

TEST_F(Plugin, GivesWhatItPrints) {
  const auto got =
      run(R"(printf '{"kind":"ExecCredential","status":{"token":"%s","expirationTimestamp":"2030-01-01T00:00:00Z"}}' "$SAID")");
  ASSERT_TRUE(got) << error_;
  EXPECT_EQ(got->token, "from the kubeconfig");
  EXPECT_TRUE(got->expires);
}

TEST_F(Plugin, IsToldTheVersion) {
  const auto got = run(R"(case "$KUBERNETES_EXEC_INFO" in *authentication.k8s.io/v1*) echo '{"status":{"token":"t"}}';; esac)");
  ASSERT_TRUE(got) << error_;
  EXPECT_FALSE(got->expires);
}

TEST_F(Plugin, FailuresAreToldWithoutItsOutput) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"echo secret; exit 3", "status 3"},
      {"echo secret", "no ExecCredential"},
      {R"(echo '{"status":{"clientCertificateData":"secret"}}')", "neither"},
      {"kill -9 $$", "killed"},
  };
  for (const auto& [script, expected] : cases) {
    EXPECT_FALSE(run(script)) << script;
    EXPECT_NE(error_.find(expected), std::string::npos) << error_;
    EXPECT_EQ(error_.find("secret"), std::string::npos) << error_;
  }
}

TEST_F(Plugin, OneThatHangsIsKilled) {
  EXPECT_FALSE(run("sleep 1000", std::chrono::milliseconds(50)));
  EXPECT_NE(error_.find("end"), std::string::npos) << error_;
  // Its output ends, it does not.
  EXPECT_FALSE(run("exec >&-; sleep 1000", std::chrono::milliseconds(50)));
}

}  // namespace
}  // namespace emissary::kube
