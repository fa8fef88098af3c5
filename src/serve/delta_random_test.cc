// A client that behaves as Envoy does, under random edits, refusals and reconnects: it always ends with what is published,
// and on the way never holds routes to a cluster that it lacks.

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <set>

#include "serve/scripted_client.h"

namespace emissary::serve::testing {
namespace {

constexpr int kNames = 6;

class FakeEnvoy final : public StreamEvents {
 public:
  FakeEnvoy(World& world, std::mt19937& random) : world_(world), random_(random) {}

  void connect() {
    inbox_.clear();
    if (stream_) stream_->close();
    stream_ = std::make_unique<DeltaStream>(world_.published, world_.options, *this, world_.now);
    for (const Type type : {Type::Cluster, Type::Endpoints, Type::Listener, Type::Routes}) {
      Request request{.type = type};
      for (const auto& [name, resource] : held(type)) request.versions.emplace_back(name, resource->version);
      if (type == Type::Endpoints || type == Type::Routes) {
        request.subscribe.assign(names_[static_cast<size_t>(type)].begin(), names_[static_cast<size_t>(type)].end());
        if (request.subscribe.empty()) continue;
      }
      stream_->request(request, world_.now);
    }
  }
  void changed(const std::vector<ResourceKey>& keys) { stream_->changed(keys, world_.now); }
  void tick() { stream_->tick(world_.now); }

  /// One step of the server, or of the client. False: there was nothing to do.
  bool step() {
    const bool write = random_() % 2;
    if (write || inbox_.empty()) {
      if (auto response = stream_->next(world_.now)) {
        inbox_.push_back(std::move(*response));
        return true;
      }
    }
    if (inbox_.empty()) return false;
    const Response response = std::move(inbox_.front());
    inbox_.pop_front();
    take(response);
    return true;
  }

  std::map<std::string, ResourcePtr>& held(Type type) { return held_[static_cast<size_t>(type)]; }
  const std::set<std::string>& warming() const { return warming_; }
  DeltaStream& stream() { return *stream_; }
  void onNack(Type) override {}

  /// Routes or a Listener were taken that name a cluster which is published, good and not here.
  size_t broken = 0;

 private:
  static bool bad(const ResourcePtr& resource) { return resource->wire.find("BAD") != std::string::npos; }

  void take(const Response& response) {
    const bool refuse = std::any_of(response.resources.begin(), response.resources.end(), bad);
    // Some refusals leave nothing behind, others all that was good.
    const bool partly = refuse && random_() % 2;
    if (!refuse || partly) {
      for (const std::string& name : response.removed) drop(response.type, name);
      for (const ResourcePtr& resource : response.resources) {
        if (!bad(resource)) hold(resource);
      }
    }
    stream_->request({.type = response.type, .nonce = response.nonce, .refused = refuse, .detail = refuse ? "bad" : ""},
                     world_.now);
  }

  void hold(const ResourcePtr& resource) {
    held(resource->type)[resource->name] = resource;
    switch (resource->type) {
      case Type::Cluster:
        warming_.insert(resource->name);
        subscribe(Type::Endpoints, resource->name);
        break;
      case Type::Endpoints: warming_.erase(resource->name); break;
      case Type::Listener:
        checkClusters(*resource);
        subscribe(Type::Routes, resource->name);
        break;
      case Type::Routes: checkClusters(*resource); break;
      default: break;
    }
  }
  void checkClusters(const Resource& resource) {
    for (const std::string& cluster : resource.clusters) {
      const Slot* slot = world_.published.find(Type::Cluster, cluster);
      if (slot && !bad(slot->current) && !held(Type::Cluster).contains(cluster)) ++broken;
    }
  }
  void drop(Type type, const std::string& name) {
    held(type).erase(name);
    if (type == Type::Cluster) {
      warming_.erase(name);
      unsubscribe(Type::Endpoints, name);
    } else if (type == Type::Listener) {
      unsubscribe(Type::Routes, name);
    }
  }
  void subscribe(Type type, const std::string& name) {
    if (!names_[static_cast<size_t>(type)].insert(name).second) return;
    stream_->request({.type = type, .subscribe = {name}}, world_.now);
  }
  void unsubscribe(Type type, const std::string& name) {
    if (names_[static_cast<size_t>(type)].erase(name) == 0) return;
    held(type).erase(name);
    stream_->request({.type = type, .unsubscribe = {name}}, world_.now);
  }

  World& world_;
  std::mt19937& random_;
  std::unique_ptr<DeltaStream> stream_;
  std::deque<Response> inbox_;
  std::array<std::map<std::string, ResourcePtr>, kTypes> held_;
  std::array<std::set<std::string>, kTypes> names_;
  std::set<std::string> warming_;
};

class Scenario {
 public:
  Scenario(int seed, bool with_refusals) : random(static_cast<std::mt19937::result_type>(seed)), refusals(with_refusals) {}

  void run() {
    FakeEnvoy envoy(world, random);
    envoy.connect();
    for (int i = 0; i < 120; ++i) {
      envoy.changed(edit());
      for (int steps = static_cast<int>(random() % 12); steps > 0; --steps) envoy.step();
      if (random() % 30 == 0) envoy.connect();
      if (random() % 10 == 0) {
        world.now += std::chrono::milliseconds(random() % 2000);
        envoy.tick();
      }
    }
    settle(envoy);
    compare(envoy);
    if (!refusals) {
      EXPECT_EQ(envoy.broken, 0u);
    }
  }

 private:
  std::string name() { return numbered("n", static_cast<int>(random() % kNames)); }
  std::string content() {
    return refusals && random() % 5 == 0 ? numbered("BAD", static_cast<int>(random() % 3))
                                         : numbered("v", static_cast<int>(random() % 5));
  }

  /// Clusters come with their endpoints, Listeners with their routes, and both name clusters that are published.
  std::vector<ResourceKey> edit() {
    std::vector<ResourcePtr> upserts;
    std::vector<ResourceKey> removals;
    for (int i = static_cast<int>(random() % 3); i >= 0; --i) {
      const std::string n = name();
      switch (random() % 4) {
        case 0:
          clusters.insert(n);
          upserts.push_back(eds(n, content()));
          upserts.push_back(endpoints(n, content()));
          break;
        case 1:
          upserts.push_back(someListener(n));
          upserts.push_back(someRoutes(n));
          routed.insert(n);
          break;
        case 2:
          routed.erase(n);
          removals.push_back({Type::Listener, n});
          removals.push_back({Type::Routes, n});
          std::erase_if(upserts, [&](const ResourcePtr& r) {
            return r->name == n && (r->type == Type::Listener || r->type == Type::Routes);
          });
          break;
        default:
          // A cluster goes, and with it all that name it.
          if (clusters.erase(n) == 0) break;
          std::erase_if(upserts, [&](const ResourcePtr& r) {
            return r->name == n && (r->type == Type::Cluster || r->type == Type::Endpoints);
          });
          std::erase_if(upserts, [&](const ResourcePtr& r) { return r->type == Type::Routes || r->type == Type::Listener; });
          removals.push_back({Type::Cluster, n});
          removals.push_back({Type::Endpoints, n});
          for (const std::string& r : routed) {
            upserts.push_back(someRoutes(r));
            upserts.push_back(someListener(r));
          }
          break;
      }
    }
    return world.apply(std::move(upserts), std::move(removals));
  }
  std::vector<std::string> someClusters(uint32_t one_in) {
    std::vector<std::string> named;
    for (const std::string& cluster : clusters) {
      if (random() % one_in == 0) named.push_back(cluster);
    }
    return named;
  }
  ResourcePtr someRoutes(const std::string& n) { return routes(n, someClusters(2), content()); }
  ResourcePtr someListener(const std::string& n) { return listener(n, someClusters(4), content()); }

  void settle(FakeEnvoy& envoy) {
    for (int i = 0; i < 20; ++i) {
      while (envoy.step()) {
      }
      world.now += world.options.removal_grace;
      envoy.tick();
    }
  }
  void compare(FakeEnvoy& envoy) {
    for (const Type type : {Type::Cluster, Type::Endpoints, Type::Listener, Type::Routes}) {
      for (const auto& [n, slot] : world.published.all(type)) {
        const bool subscribed = type == Type::Cluster || type == Type::Listener ||
                                envoy.held(type == Type::Routes ? Type::Listener : Type::Cluster).contains(n);
        if (slot.refusal() || !subscribed) continue;
        ASSERT_TRUE(envoy.held(type).contains(n)) << typeLabel(type) << " " << n;
        EXPECT_EQ(envoy.held(type)[n]->version, slot.current->version) << typeLabel(type) << " " << n;
      }
    }
    for (const Type type : {Type::Cluster, Type::Listener}) {
      for (const auto& [n, resource] : envoy.held(type)) {
        // Refused routes may still use a cluster that is gone.
        EXPECT_TRUE(world.published.find(type, n) || refusals) << typeLabel(type) << " " << n;
      }
    }
    for (const std::string& n : envoy.warming()) {
      const Slot* slot = world.published.find(Type::Endpoints, n);
      EXPECT_TRUE(!slot || slot->refusal()) << n << " waits for endpoints";
    }
    EXPECT_TRUE(envoy.stream().answered(world.generation));
    EXPECT_EQ(envoy.stream().outstanding(), 0u);
  }

  World world;
  std::mt19937 random;
  std::set<std::string> clusters, routed;
  const bool refusals;
};

void runSeeds(bool refusals) {
  for (int seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    Scenario(seed, refusals).run();
  }
}

TEST(DeltaRandomTest, EndsWithWhatIsPublished) { runSeeds(false); }
TEST(DeltaRandomTest, EndsWithWhatIsPublishedAndNotRefused) { runSeeds(true); }

}  // namespace
}  // namespace emissary::serve::testing
