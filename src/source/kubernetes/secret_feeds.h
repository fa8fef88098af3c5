#pragma once
// Where Secrets come from: all of them, or one by its name. Internal to Secrets.

#include <string>
#include <utility>
#include <vector>

#include "source/kubernetes/kind_watch.h"
#include "source/kubernetes/secrets.h"

namespace emissary::source {

class AllSecrets : public Feed {
 public:
  explicit AllSecrets(Secrets& owner);

  void start() { reflector_.start(); }
  bool running() const { return reflector_.running(); }
  bool listed() const { return listed_; }

  void begin() override;
  void add(const Item& item) override;
  void finish() override;
  void changed(const Item& item) override;
  void deleted(const Item& item) override;
  void flush() override;
  void failed(const Failure& failure) override;
  void healthy() override;

 private:
  Secrets& owner_;
  Trouble trouble_;
  Reflector reflector_;
  void refused();

  bool listed_ = false;
  uint32_t round_ = 0;
  std::vector<std::pair<SecretKey, ObjectPtr>> staged_;
};

class NamedSecret : public Feed {
 public:
  NamedSecret(Secrets& owner, SecretKey key);

  void start() { reflector_.start(); }
  void stop() { reflector_.stop(); }
  /// It was listed, or may not be read.
  bool settled() const { return listed_ || !refusal_.empty(); }
  /// The server's words; empty where it may be read.
  const std::string& refusal() const { return refusal_; }

  void begin() override;
  void add(const Item& item) override;
  void finish() override;
  void changed(const Item& item) override;
  void deleted(const Item& item) override;
  void flush() override;
  void failed(const Failure& failure) override;
  void healthy() override;

 private:
  bool isIt(const Item& item) const { return item.ns == key_.ns && item.name == key_.name; }

  Secrets& owner_;
  const SecretKey key_;
  Reflector reflector_;
  bool listed_ = false;
  std::string refusal_;
  bool there_ = false;
  ObjectPtr staged_;
};

}  // namespace emissary::source
