#pragma once
// Where objects come from. start() and stop() are called by one thread, once each; the sink is called from the source's own.

#include <string>

namespace emissary::source {

class Source {
 public:
  virtual ~Source() = default;
  /// False, with a reason, when it cannot even begin. What goes wrong later is told as findings.
  virtual bool start(std::string& error) = 0;
  /// After it returns the sink is not called any more.
  virtual void stop() = 0;
};

}  // namespace emissary::source
