#include "webhook/storage_migration.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "convert/convert.h"
#include "webhook/json.h"

namespace emissary::webhook {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kWanted = "v3alpha1";
constexpr std::string_view kCrds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
constexpr int kObjectsAPage = 250;
/// Of a write that another's got in the way of, or that the server was too busy for.
constexpr int kTries = 5;
constexpr size_t kMostTold = 20;  // objects of a kind, by name

struct Crd {
  std::string name, plural, resource_version, storage;
  bool has_wanted = false;
  bool older = false;  // it has other versions
  std::vector<std::string> stored;
};

std::optional<Crd> readCrd(const Json& json) {
  if (!json.is_object() || textAt(json, "/spec/group") != convert::kGroup) return std::nullopt;
  Crd out;
  out.name = textAt(json, "/metadata/name");
  out.plural = textAt(json, "/spec/names/plural");
  out.resource_version = textAt(json, "/metadata/resourceVersion");
  for (const Json& version : valueAt(json, "/spec/versions")) {
    const std::string name = textAt(version, "/name");
    out.has_wanted |= name == kWanted && version.value("served", false);
    if (version.value("storage", false)) out.storage = name;
    out.older |= name != kWanted;
  }
  for (const Json& name : valueAt(json, "/status/storedVersions")) {
    if (name.is_string()) out.stored.push_back(name.get<std::string>());
  }
  return out;
}

/// Or gone for a moment, as the one that converts may be.
bool busy(const kube::Response& answer) { return answer.status == 0 || answer.status == 429 || answer.status >= 500; }

std::string listed(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

class Migration {
 public:
  Migration(const MigrationHooks& hooks, MigrationOptions options) : hooks_(hooks), options_(options) {}

  bool run() {
    const auto crds = readCrds();
    if (!crds) return false;
    if (crds->empty()) {
      hooks_.say(fmt::format("there is no CustomResourceDefinition of {}", convert::kGroup));
      return true;
    }
    bool good = true;
    for (const Crd& crd : *crds) good &= migrate(crd) && (!options_.drop_older || !crd.older || drop(crd));
    if (dropped_ > 0) {
      hooks_.say(fmt::format("{} kinds {} without older versions: nobody has to convert them any more", dropped_,
                             options_.apply ? "are now" : "would then be"));
    } else if (good && options_.apply) {
      hooks_.say(
          "all is stored as v3alpha1: the older versions are not needed any more (--drop-older takes them from the CRDs), nor is "
          "the webhook then");
    }
    return good;
  }

 private:
  kube::Response ask(const kube::Request& request) {
    for (int round = 1;; ++round) {
      kube::Response answer = hooks_.ask({request}).at(0);
      if (!busy(answer) || round == kTries) return answer;
      hooks_.pause();
    }
  }

  bool refuse(const std::string& what) {
    hooks_.fail(what);
    return false;
  }

  std::optional<std::vector<Crd>> readCrds() {
    std::vector<Crd> out;
    std::string more;
    do {
      const kube::Response response =
          ask({"GET", fmt::format("{}?limit=20{}", kCrds, more.empty() ? "" : "&continue=" + kube::escaped(more)), ""});
      const Json list = Json::parse(response.ok() ? response.body : "", nullptr, false);
      if (!list.is_object() || !list.contains("items")) {
        hooks_.fail(fmt::format("CustomResourceDefinitions cannot be read: {}", response.text()));
        return std::nullopt;
      }
      for (const Json& item : list["items"]) {
        if (auto crd = readCrd(item)) out.push_back(std::move(*crd));
      }
      more = textAt(list, "/metadata/continue");
    } while (!more.empty());
    return out;
  }

  bool migrate(const Crd& crd) {
    if (crd.stored == std::vector<std::string>{std::string(kWanted)}) {
      hooks_.say(fmt::format("{}: nothing to do, only {} is stored", crd.name, kWanted));
      return true;
    }
    if (!crd.has_wanted || crd.storage != kWanted) {
      return refuse(
          fmt::format("{}: what is written is stored as {}: apply CRDs that store {} first (emissary crds --legacy | kubectl apply "
                      "--server-side --force-conflicts -f -)",
                      crd.name, crd.storage, kWanted));
    }
    const auto count = rewriteAll(crd);
    if (!count) return false;
    if (!options_.apply) {
      hooks_.say(fmt::format("{}: {} objects would be rewritten; then storedVersions would become {} (they are {})", crd.name,
                             count->seen, kWanted, listed(crd.stored)));
      return true;
    }
    const std::string done = fmt::format("{}: {} objects rewritten, {} went meanwhile", crd.name, count->rewritten, count->moved);
    if (count->failed > 0) {
      return refuse(fmt::format("{}, {} could not be; storedVersions stay {}", done, count->failed, listed(crd.stored)));
    }
    if (!trim(crd)) return false;
    hooks_.say(fmt::format("{}; storedVersions: {}, before: {}", done, kWanted, listed(crd.stored)));
    return true;
  }

  struct Count {
    size_t seen = 0, rewritten = 0, moved = 0, failed = 0;
  };

  std::optional<Count> rewriteAll(const Crd& crd) {
    Count count;
    std::string more;
    for (int begun = 1;;) {
      std::string path = fmt::format("/apis/{}/{}/{}?limit={}", convert::kGroup, kWanted, crd.plural, kObjectsAPage);
      if (!more.empty()) path += "&continue=" + kube::escaped(more);
      const kube::Response response = ask({"GET", std::move(path), ""});
      if (response.status == 410 && begun < kTries) {  // it took too long: from the beginning
        ++begun;
        more.clear();
        count = {};
        continue;
      }
      const Json list = Json::parse(response.ok() ? response.body : "", nullptr, false);
      if (!list.is_object() || !list.contains("items")) {
        hooks_.fail(fmt::format("{}: objects cannot be read: {}", crd.name, response.text()));
        return std::nullopt;
      }
      rewrite(crd, list["items"], count);
      more = textAt(list, "/metadata/continue");
      if (more.empty()) return count;
    }
  }

  /// A change of nothing makes the server write the object as what it stores now, whoever else writes it meanwhile.
  void rewrite(const Crd& crd, const Json& items, Count& count) {
    count.seen += items.size();
    if (!options_.apply) return;
    std::vector<kube::Request> left;
    for (const Json& item : items) {
      kube::Request request{"PATCH",
                            fmt::format("/apis/{}/{}/namespaces/{}/{}/{}?fieldManager=emissary-migrate-storage", convert::kGroup,
                                        kWanted, kube::escaped(textAt(item, "/metadata/namespace")), crd.plural,
                                        kube::escaped(textAt(item, "/metadata/name"))),
                            Json({{"metadata", {{"uid", textAt(item, "/metadata/uid")}}}}).dump(), "application/merge-patch+json"};
      left.push_back(std::move(request));
    }
    for (int round = 1; !left.empty(); ++round) {
      const std::vector<kube::Response> answers = hooks_.ask(left);
      std::vector<kube::Request> again;
      for (size_t i = 0; i < left.size(); ++i) {
        const kube::Response& answer = answers.at(i);
        if (answer.ok()) ++count.rewritten;
        else if (answer.status == 409 || answer.status == 404) ++count.moved;
        else if (busy(answer) && round < kTries) again.push_back(std::move(left[i]));
        else failed(left[i], answer, count);
      }
      left = std::move(again);
      if (!left.empty()) hooks_.pause();
    }
  }

  void failed(const kube::Request& request, const kube::Response& answer, Count& count) {
    if (count.failed++ < kMostTold) {
      hooks_.fail(fmt::format("{}: cannot be rewritten: {}", request.path.substr(0, request.path.find('?')), answer.text()));
    }
  }

  /// Unless the CRD has come to store something else meanwhile.
  bool trim(Crd crd) {
    const std::string path = fmt::format("{}/{}", kCrds, crd.name);
    for (int round = 1;; ++round) {
      const Json patch = {{"metadata", {{"resourceVersion", crd.resource_version}}}, {"status", {{"storedVersions", {kWanted}}}}};
      const kube::Response answer = ask({"PATCH", path + "/status", patch.dump(), "application/merge-patch+json"});
      if (answer.ok()) return true;
      if (answer.status != 409 || round == kTries) {
        return refuse(fmt::format("{}: all objects are rewritten, but storedVersions cannot be: {}", crd.name, answer.text()));
      }
      const kube::Response now = ask({"GET", path, ""});
      const auto read = readCrd(Json::parse(now.ok() ? now.body : "", nullptr, false));
      if (!read || read->storage != kWanted) {
        return refuse(fmt::format("{}: it was changed meanwhile and does not store {} any more", crd.name, kWanted));
      }
      crd = *read;
    }
  }

  /// In one write, so that no older version is left that nobody converts.
  bool drop(const Crd& crd) {
    ++dropped_;
    if (!options_.apply) {
      hooks_.say(fmt::format("{}: older versions would be dropped", crd.name));
      return true;
    }
    const std::string path = fmt::format("{}/{}", kCrds, crd.name);
    for (int round = 1;; ++round) {
      const kube::Response now = ask({"GET", path, ""});
      Json json = Json::parse(now.ok() ? now.body : "", nullptr, false);
      const auto read = readCrd(json);
      if (!read || read->storage != kWanted || read->stored != std::vector<std::string>{std::string(kWanted)}) {
        --dropped_;
        return refuse(fmt::format("{}: its older versions are not dropped: {}", crd.name,
                                  now.ok() ? "it was changed meanwhile" : now.text()));
      }
      Json& versions = json["spec"]["versions"];
      versions.erase(
          std::remove_if(versions.begin(), versions.end(), [](const Json& one) { return textAt(one, "/name") != kWanted; }),
          versions.end());
      json["spec"]["conversion"] = {{"strategy", "None"}};
      const kube::Response answer = ask({"PUT", path, json.dump()});
      if (answer.ok()) return true;
      if (answer.status != 409 || round == kTries) {
        --dropped_;
        return refuse(fmt::format("{}: its older versions are not dropped: {}", crd.name, answer.text()));
      }
    }
  }

  const MigrationHooks& hooks_;
  const MigrationOptions options_;
  size_t dropped_ = 0;
};

}  // namespace

bool migrateStorage(const MigrationHooks& hooks, MigrationOptions options) { return Migration(hooks, options).run(); }

}  // namespace emissary::webhook
