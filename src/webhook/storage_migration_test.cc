// What it does with a server that is busy, changes, or refuses. That a real one stores what it should, test/cluster/ sees.

#include "webhook/storage_migration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

namespace emissary::webhook {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A server with one CRD and some Mappings, three to a page.
struct Server {
  std::string storage = "v3alpha1";
  std::vector<std::string> stored = {"v2", "v3alpha1"};
  int version = 1;
  bool dropped = false;
  int objects = 7;
  /// Answers in place of the server's own, by the end of the path, each once.
  std::multimap<std::string, kube::Response> faults;
  std::vector<std::string> writes, said, failed;
  int pauses = 0;

  Json crd() const {
    return {{"metadata", {{"name", "mappings.getambassador.io"}, {"resourceVersion", std::to_string(version)}}},
            {"spec",
             {{"group", "getambassador.io"},
              {"names", {{"plural", "mappings"}}},
              {"versions",
               {{{"name", "v2"}, {"served", true}, {"storage", storage == "v2"}},
                {{"name", "v3alpha1"}, {"served", true}, {"storage", storage == "v3alpha1"}}}}}},
            {"status", {{"storedVersions", stored}}}};
  }
  static kube::Response json(const Json& body) { return {200, body.dump(), {}, ""}; }

  kube::Response handle(const kube::Request& request) {
    const std::string path = request.path.substr(0, request.path.find('?'));
    for (auto it = faults.begin(); it != faults.end(); ++it) {
      if (!path.ends_with(it->first)) continue;
      kube::Response out = it->second;
      faults.erase(it);
      return out;
    }
    if (request.method == "PATCH") {
      writes.push_back(path.substr(path.rfind('/') + 1));
      const Json patch = Json::parse(request.body);
      if (!path.ends_with("/status")) return json(Json::object());
      if (patch["metadata"]["resourceVersion"] != std::to_string(version)) return {409, "{}", {}, ""};
      stored = patch["status"]["storedVersions"].get<std::vector<std::string>>();
      return json(crd());
    }
    if (request.method == "PUT") {
      const Json crd = Json::parse(request.body);
      dropped = crd["spec"]["versions"].size() == 1 && crd["spec"]["conversion"] == Json({{"strategy", "None"}});
      return json(crd);
    }
    if (path.ends_with("/mappings")) {
      const size_t at = request.path.find("continue=");
      const int first = at == std::string::npos ? 0 : std::stoi(request.path.substr(at + 9));
      Json items = Json::array();
      for (int i = first; i < std::min(first + 3, objects); ++i) {
        items.push_back(
            {{"metadata", {{"name", "m" + std::to_string(i)}, {"namespace", "a"}, {"uid", "u"}, {"resourceVersion", "1"}}}});
      }
      return json({{"metadata", {{"continue", first + 3 < objects ? std::to_string(first + 3) : ""}}}, {"items", items}});
    }
    if (path.ends_with("mappings.getambassador.io")) return json(crd());
    return json({{"metadata", Json::object()}, {"items", {crd(), {{"spec", {{"group", "example.com"}}}}}}});
  }

  bool migrate(bool apply, bool drop = false) {
    return migrateStorage({[this](const std::vector<kube::Request>& requests) {
                             std::vector<kube::Response> out;
                             for (const kube::Request& request : requests) out.push_back(handle(request));
                             return out;
                           },
                           [this] { ++pauses; }, [this](const std::string& text) { said.push_back(text); },
                           [this](const std::string& text) { failed.push_back(text); }},
                          {apply, drop});
  }
};

TEST(StorageMigration, RewritesAllAndSaysSo) {
  Server server;
  EXPECT_TRUE(server.migrate(true));
  EXPECT_THAT(server.writes, ElementsAre("m0", "m1", "m2", "m3", "m4", "m5", "m6", "status"));
  EXPECT_THAT(server.stored, ElementsAre("v3alpha1"));
  EXPECT_THAT(server.said.at(0), HasSubstr("7 objects rewritten, 0 went"));
  EXPECT_TRUE(server.migrate(true));  // again: nothing is left
  EXPECT_EQ(server.writes.size(), 8u);
}

TEST(StorageMigration, OlderVersionsGoIfAsked) {
  Server server;
  server.faults = {{"/mappings.getambassador.io", {503, "", {}, ""}}};
  EXPECT_TRUE(server.migrate(true, true));
  EXPECT_TRUE(server.dropped);
  EXPECT_THAT(server.said.back(), HasSubstr("1 kinds are now without older versions"));
  Server left;
  left.faults = {{"/m4", {422, "{}", {}, ""}}};
  EXPECT_FALSE(left.migrate(true, true));
  EXPECT_FALSE(left.dropped);
}

TEST(StorageMigration, WritesNothingUnlessAsked) {
  Server server;
  EXPECT_TRUE(server.migrate(false, true));
  EXPECT_FALSE(server.dropped);
  EXPECT_THAT(server.writes, IsEmpty());
  EXPECT_THAT(server.said.at(0), HasSubstr("7 objects would be rewritten"));
}

TEST(StorageMigration, RefusesWhereSomethingElseIsStored) {
  Server server;
  server.storage = "v2";
  EXPECT_FALSE(server.migrate(true));
  EXPECT_THAT(server.writes, IsEmpty());
  EXPECT_THAT(server.failed, ElementsAre(HasSubstr("emissary crds --legacy")));
}

TEST(StorageMigration, WhatIsBusyIsTriedAgain) {
  Server server;
  server.faults = {{"customresourcedefinitions", {503, "", {}, ""}},
                   {"/mappings", {429, "", {}, ""}},
                   {"/m4", {0, "", {}, "broke off"}},
                   {"/m5", {500, "", {}, ""}},
                   {"/m2", {409, "", {}, ""}},
                   {"/m3", {404, "", {}, ""}}};
  EXPECT_TRUE(server.migrate(true));
  EXPECT_EQ(server.pauses, 3);
  EXPECT_THAT(server.said.at(0), HasSubstr("5 objects rewritten, 2 went meanwhile"));
  EXPECT_THAT(server.stored, ElementsAre("v3alpha1"));
}

TEST(StorageMigration, AListThatTakesTooLongBeginsAnew) {
  Server server;
  server.faults = {{"/mappings", {410, "", {}, ""}}};
  EXPECT_TRUE(server.migrate(true));
  EXPECT_THAT(server.stored, ElementsAre("v3alpha1"));
}

TEST(StorageMigration, WhatIsRefusedKeepsTheOlderVersion) {
  Server server;
  server.faults = {{"/m4", {422, R"({"kind":"Status","message":"it is wrong"})", {}, ""}}};
  EXPECT_FALSE(server.migrate(true));
  EXPECT_THAT(server.stored, ElementsAre("v2", "v3alpha1"));
  EXPECT_THAT(server.failed.at(0), HasSubstr("namespaces/a/mappings/m4: cannot be rewritten: "));
  EXPECT_THAT(server.failed.at(1), HasSubstr("6 objects rewritten, 0 went meanwhile, 1 could not be"));
}

TEST(StorageMigration, ACrdThatChangesMeanwhile) {
  Server server;
  server.faults = {{"/status", {409, "", {}, ""}}};  // as when the webhook puts its authority there
  EXPECT_TRUE(server.migrate(true));
  EXPECT_THAT(server.stored, ElementsAre("v3alpha1"));
  Server other;
  other.faults = {{"/status", {409, "", {}, ""}}, {"/mappings.getambassador.io", Server::json([&] {
                                                     other.storage = "v2";
                                                     const Json crd = other.crd();
                                                     other.storage = "v3alpha1";
                                                     return crd;
                                                   }())}};
  EXPECT_FALSE(other.migrate(true));
  EXPECT_THAT(other.failed, ElementsAre(HasSubstr("does not store v3alpha1 any more")));
}

}  // namespace
}  // namespace emissary::webhook
