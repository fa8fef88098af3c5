// Whatever goes wrong on the way, in the end the store holds what the server holds, and nothing was ever taken for gone that was
// there.

#include <cstdlib>
#include <random>

#include "source/kubernetes/testing.h"

namespace emissary::source {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

class Storm {
 public:
  explicit Storm(uint32_t seed) : random_(seed), world_(options(), seed % 2 == 1) {
    world_.server.intercept = [this](const FakeServer::Asked& asked) { return failure(asked); };
    world_.server.spoil = [this](std::string& bytes) { return spoil(bytes); };
  }

  void run() {
    for (int i = 0; i < 12; ++i) change();
    world_.start();
    for (int i = 0; i < 120; ++i) {
      for (int n = below(4); n > 0; --n) change();
      if (below(8) == 0) world_.server.compact();
      if (below(10) == 0) world_.server.endWatches(end());
      if (below(25) == 0) world_.server.expired_as_event = !world_.server.expired_as_event;
      // Who is away for long is away altogether.
      rate_ = below(12) == 0 ? 100 : below(3) == 0 ? 0 : 20;
      world_.pass(std::chrono::milliseconds(1 + below(3000)), 500ms);
      check();
    }
    rate_ = 0;
    for (int minute = 0; minute < 4; ++minute) {
      world_.pass(60s, 1s);
      world_.server.bookmark();
    }
    world_.settle();
    compare();
  }

 private:
  static KubernetesOptions options() {
    KubernetesOptions out;
    out.bounds.page = 3;
    return out;
  }
  int below(int n) { return static_cast<int>(random_() % static_cast<uint32_t>(n)); }

  std::optional<kube::Response> failure(const FakeServer::Asked& asked) {
    if (below(100) >= rate_) return std::nullopt;
    switch (below(9)) {
      case 0: return kube::Response{0, "", {}, "connection refused"};
      case 1: return FakeServer::failure(500, "no");
      case 2: return kube::Response{429, "{}", std::chrono::seconds(below(5)), ""};
      case 3: return FakeServer::failure(401, "who are you");
      case 4: return FakeServer::failure(403, "forbidden");
      case 5: return FakeServer::failure(410, "too old");
      case 6: return FakeServer::failure(504, "Too large resource version: 7, current: 3");
      case 7:
        return asked.is_watch ? kube::Response{200, "", {}, ""} : kube::Response{200, "{\"kind\":\"List\",\"items\":[{}", {}, ""};
      default: return FakeServer::failure(asked.path.find("/apis/") == 0 && asked.query.empty() ? 503 : 404, "not found");
    }
  }
  bool spoil(std::string& bytes) {
    if (below(200) >= rate_) return true;
    if (below(2) == 0) {
      bytes.resize(static_cast<size_t>(below(static_cast<int>(bytes.size()) + 1)));
      return false;
    }
    bytes.insert(static_cast<size_t>(below(static_cast<int>(bytes.size()))), below(2) == 0 ? "\n" : "\"\x01");
    return true;
  }
  kube::Response end() {
    if (below(2) == 0) return {200, "", {}, ""};
    return {0, "", {}, "cut"};
  }

  /// Names are not used twice, so that what is gone stays gone.
  std::string fresh() { return "n" + std::to_string(++names_); }
  const std::string& any(const std::vector<std::string>& of) { return of[static_cast<size_t>(below(static_cast<int>(of.size())))]; }

  void change() {
    switch (below(9)) {
      case 0:
      case 1: world_.mapping(mappings_.emplace_back(fresh())); break;
      case 2:
        if (!mappings_.empty())
          reput(Kind::Mapping, any(mappings_), [&] { world_.mapping(chosen_, "/" + std::to_string(below(5))); });
        break;
      case 3:
        if (!mappings_.empty()) world_.server.remove(Kind::Mapping, "default", any(mappings_));
        break;
      case 4: world_.secret(secrets_.emplace_back(fresh())); break;
      case 5:
        if (!secrets_.empty()) reput(Kind::Secret, any(secrets_), [&] { world_.secret(chosen_, below(2) == 0 ? "YQ==" : "YWI="); });
        break;
      case 6:
        if (!secrets_.empty()) world_.server.remove(Kind::Secret, "default", any(secrets_));
        break;
      case 7:
        if (!secrets_.empty()) world_.host(hosts_.emplace_back(fresh()), any(secrets_));
        break;
      default:
        if (hosts_.empty()) break;
        if (below(2) == 0) world_.server.remove(Kind::Host, "default", any(hosts_));
        else reput(Kind::Host, any(hosts_), [&] { world_.host(chosen_, any(secrets_)); });
    }
  }
  template <typename Put>
  void reput(Kind kind, const std::string& name, const Put& put) {
    chosen_ = name;
    if (world_.server.all(kind).contains("default/" + name)) put();
  }

  void check() {
    for (const std::string& text : std::exchange(world_.deleted, {})) {
      const std::string key = text.substr(text.find(' ') + 1);
      for (const Kind kind : {Kind::Mapping, Kind::Host}) {
        if (!text.starts_with(std::string(kindName(kind)) + " ")) continue;
        EXPECT_FALSE(world_.server.all(kind).contains(key)) << text << " was deleted, and is there";
      }
    }
  }
  void compare() {
    EXPECT_EQ(world_.synced, 1);
    EXPECT_EQ(world_.told(), "");
    std::set<std::string> expected, named;
    for (const auto& [key, object] : world_.server.all(Kind::Mapping)) {
      expected.insert("Mapping " + key);
      const auto it = world_.objects.find({Kind::Mapping, "default", object["metadata"]["name"]});
      ASSERT_NE(it, world_.objects.end()) << key;
      EXPECT_EQ(std::get<model::Mapping>(it->second->spec).prefix, object["spec"]["prefix"]) << key;
    }
    for (const auto& [key, object] : world_.server.all(Kind::Host)) {
      expected.insert("Host " + key);
      named.insert("default/" + object["spec"]["tlsSecret"]["name"].get<std::string>());
    }
    for (const auto& [key, object] : world_.server.all(Kind::Secret)) {
      if (!named.contains(key)) continue;
      expected.insert("Secret " + key);
      const auto it = world_.objects.find({Kind::Secret, "default", object["metadata"]["name"]});
      ASSERT_NE(it, world_.objects.end()) << key;
      const size_t length = object["data"]["tls.crt"].get<std::string>() == "YQ==" ? 1 : 0;
      if (length == 1) {
        EXPECT_EQ(std::get<model::Secret>(it->second->spec).certificate, "a");
      }
    }
    std::set<std::string> held;
    for (const auto& [ref, object] : world_.objects) held.insert(ref.text());
    EXPECT_EQ(held, expected);
  }

  std::mt19937 random_;
  World world_;
  int rate_ = 20;
  int names_ = 0;
  std::string chosen_;
  std::vector<std::string> mappings_, secrets_, hosts_;
};

TEST(KubernetesRandom, InTheEndTheStoreHoldsWhatTheServerHolds) {
  const char* wanted = std::getenv("EMISSARY_STORM_SEEDS");
  const uint32_t last = wanted != nullptr ? static_cast<uint32_t>(std::atoi(wanted)) : 8;
  for (uint32_t seed = 1; seed <= last && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Storm(seed).run();
  }
}

}  // namespace
}  // namespace emissary::source
