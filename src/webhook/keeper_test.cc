// What only a fake server shows: what is written and in which order. That real ones take it, test/cluster/ sees.

#include "webhook/keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/base64.h"
#include "base/openssl.h"
#include "kube/testing.h"

namespace emissary::webhook {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr int64_t kNow = 1'790'000'000;

/// One Secret, CRDs and a Lease. A watch goes on until something changes.
class Server : public kube::Client {
 public:
  explicit Server(kube::FakeLoop& loop) : loop_(loop) {
    for (const char* name : {"hosts", "mappings"}) {
      Json crd = {{"metadata", {{"name", std::string(name) + ".getambassador.io"}, {"resourceVersion", "1"}}}};
      crd["spec"] = {{"group", "getambassador.io"}, {"versions", {{{"name", "v2"}}, {{"name", "v3alpha1"}}}}};
      crd["spec"]["conversion"] = {{"strategy", "Webhook"}};
      crds.push_back(std::move(crd));
    }
  }
  Call send(kube::Request request, Done done) override {
    const Call call = ++last_;
    open_.insert(call);
    loop_.post([this, call, request, done] {
      if (open_.erase(call) > 0) done(handle(request));
    });
    return call;
  }
  Call watch(kube::Request, Piece piece, Done) override {
    watches_[++last_] = std::move(piece);
    return last_;
  }
  void cancel(Call call) override {
    open_.erase(call);
    watches_.erase(call);
  }

  void changed() {
    for (const auto& [call, piece] : std::map(watches_)) {
      loop_.post([this, call] {
        if (const auto it = watches_.find(call); it != watches_.end()) Piece(it->second)("{\"type\":\"MODIFIED\",\"object\":{}}\n");
      });
    }
  }
  /// What the CRD at `index` trusts.
  std::vector<std::string> trusted(size_t index) const {
    const Json& conversion = crds.at(index)["spec"]["conversion"];
    const Json::json_pointer where("/webhook/clientConfig/caBundle");
    return conversion.contains(where) ? certificatesIn(decodeBase64(conversion[where].get<std::string>()).value())
                                      : std::vector<std::string>();
  }
  std::string authority() const { return decodeBase64(secret["data"]["tls.crt"].get<std::string>()).value(); }
  void put(const Pair& pair) {
    secret["metadata"] = {{"name", kSecretName}};
    secret["data"] = {{"tls.crt", encodeBase64(pair.certificate)}, {"tls.key", encodeBase64(pair.key)}};
    changed();
  }

  Json secret, lease;
  std::vector<Json> crds;
  bool crds_forbidden = false;
  /// Called after each write of a CRD.
  std::function<void()> written = [] {};

 private:
  static kube::Response json(const Json& body) { return {200, body.dump(), {}, ""}; }
  static Json list(Json items) { return {{"metadata", {{"resourceVersion", "1"}}}, {"items", std::move(items)}}; }

  kube::Response handle(const kube::Request& request) {
    const bool writes = request.method != "GET";
    const Json body = writes ? Json::parse(request.body) : Json();
    if (request.path.find("/leases") != std::string::npos) {
      if (writes) {
        lease = body;
        lease["metadata"]["resourceVersion"] = std::to_string(++last_);
      }
      return lease.is_null() ? kube::Response{404, "{}", {}, ""} : json(lease);
    }
    if (request.path.find("/secrets") != std::string::npos) {
      if (!writes) return json(list(secret.is_null() ? Json::array() : Json::array({secret})));
      secret = body;
      changed();
      return json(secret);
    }
    if (!writes) return json(list(crds));
    if (crds_forbidden) return {403, "{}", {}, ""};
    for (Json& crd : crds) {
      if (request.path.ends_with("/" + crd["metadata"]["name"].get<std::string>())) crd = body;
    }
    written();
    changed();
    return json(body);
  }

  kube::FakeLoop& loop_;
  Call last_ = 0;
  std::set<Call> open_;
  std::map<Call, Piece> watches_;
};

class KeeperTest : public ::testing::Test {
 protected:
  KeeperOptions options() {
    KeeperOptions out;
    out.service = {"ns", "hook"};
    out.identity = "me";
    out.wall_clock = [this] { return wall_; };
    return out;
  }
  void start(KeeperOptions options) {
    keeper_ = std::make_unique<Keeper>(
        std::move(options), loop_, server_,
        [this](const Pair& pair) {
          shown_.push_back(pair);
          check();
        },
        [this](size_t all, size_t trusting) { counted_ = {all, trusting}; });
    server_.written = [this] { check(); };
    keeper_->start();
    pass(3s);
  }
  void pass(std::chrono::seconds time) {
    for (std::chrono::seconds done{0}; done < time; done += 1s) {
      loop_.advance(1s);
      ++wall_;
      check();
    }
  }
  /// CRDs, and those that trust.
  std::pair<size_t, size_t> counted_;
  /// At every moment all CRDs trust whoever signed what is shown.
  void check() {
    if (!checking_ || shown_.empty()) return;
    const std::string issuer = issuerOf(shown_.back());
    for (size_t i = 0; i < server_.crds.size(); ++i) {
      bool found = false;
      for (const std::string& certificate : server_.trusted(i)) found |= subjectOf(certificate) == issuer;
      EXPECT_TRUE(found) << "after " << wall_ - kNow << " s";
    }
  }
  static std::string nameOf(X509_NAME* name) {
    char text[256];
    return X509_NAME_oneline(name, text, sizeof text);
  }
  static std::string issuerOf(const Pair& pair) {
    return nameOf(X509_get_issuer_name(openssl::readCertificate(pair.certificate).get()));
  }
  static std::string subjectOf(const std::string& pem) {
    return nameOf(X509_get_subject_name(openssl::readCertificate(pem).get()));
  }

  int64_t wall_ = kNow;
  kube::FakeLoop loop_;
  Server server_{loop_};
  std::vector<Pair> shown_;
  std::unique_ptr<Keeper> keeper_;
  bool checking_ = false;
};

TEST_F(KeeperTest, FromNothing) {
  start(options());
  EXPECT_TRUE(keeper_->ready());
  EXPECT_EQ(server_.trusted(0), std::vector{server_.authority()});
  EXPECT_EQ(server_.trusted(1), std::vector{server_.authority()});
  const Json service = {{"name", "hook"}, {"namespace", "ns"}, {"path", "/webhooks/crd-convert"}, {"port", 443}};
  EXPECT_EQ(server_.crds[0]["spec"]["conversion"]["webhook"]["clientConfig"]["service"], service);
  EXPECT_EQ(shown_.size(), 1u);
  EXPECT_EQ(counted_, std::pair(size_t{2}, size_t{2}));
}

TEST_F(KeeperTest, WhateverBecomesOfTheSecretWhatIsShownIsTrusted) {
  start(options());
  checking_ = true;
  std::string last = server_.authority();
  const auto renewed = [&](const char* what) {
    pass(20s);
    EXPECT_NE(server_.authority(), last) << what;
    last = server_.authority();
    EXPECT_EQ(issuerOf(shown_.back()), subjectOf(last)) << what;
    EXPECT_TRUE(keeper_->ready()) << what;
    EXPECT_EQ(server_.trusted(0).front(), last) << what;
  };
  server_.secret = nullptr;
  server_.changed();
  renewed("deleted");
  server_.put({"text", "text"});
  renewed("garbage");
  server_.secret["data"] = "no map";
  server_.changed();
  renewed("nonsense");
  server_.put(newAuthority(wall_ - kAuthorityLife - kDay));
  renewed("expired");
  server_.put(newAuthority(wall_ - kAuthorityLife + 10 * kDay));
  renewed("soon expired");
  wall_ += kAuthorityLife - 13 * kDay;
  loop_.advance(10s);
  checking_ = false;  // a year without a look costs what was shown its time
  renewed("old");
}

TEST_F(KeeperTest, TheOldAuthorityIsForgottenAfterAWhile) {
  start(options());
  server_.secret = nullptr;
  server_.changed();
  pass(20s);
  EXPECT_EQ(server_.trusted(0).size(), 2u);
  wall_ += 2 * 3600;
  pass(20s);
  EXPECT_EQ(server_.trusted(0), std::vector{server_.authority()});
}

TEST_F(KeeperTest, SomebodyElsesAuthorityIsTakenInTheSameWay) {
  KeeperOptions other = options();
  other.manage_ca = false;
  start(std::move(other));
  EXPECT_FALSE(keeper_->ready());
  EXPECT_TRUE(server_.secret.is_null());
  server_.put(newAuthority(wall_));
  pass(20s);
  EXPECT_TRUE(keeper_->ready());
  checking_ = true;
  const Pair next = newAuthority(wall_);
  server_.put(next);
  pass(20s);
  EXPECT_EQ(issuerOf(shown_.back()), subjectOf(next.certificate));
}

TEST_F(KeeperTest, ALeaderWithoutMemoryKeepsWhomCrdsTrust) {
  start(options());
  const std::string before = server_.authority();
  keeper_.reset();
  server_.secret = nullptr;
  server_.lease = nullptr;
  start(options());
  pass(20s);
  EXPECT_NE(server_.authority(), before);
  EXPECT_EQ(server_.trusted(0), (std::vector{server_.authority(), before}));
}

TEST_F(KeeperTest, IsNotReadyWhileCrdsCannotBeWritten) {
  server_.crds_forbidden = true;
  start(options());
  EXPECT_FALSE(keeper_->ready());
  EXPECT_EQ(counted_, std::pair(size_t{2}, size_t{0}));
  server_.crds_forbidden = false;
  pass(20s);
  EXPECT_TRUE(keeper_->ready());
}

}  // namespace
}  // namespace emissary::webhook
