#include "source/directory/directory_source.h"

#include <utility>

#include "model/parse.h"
#include "source/directory/follower.h"
#include "source/directory/notifier.h"

namespace emissary::source {

class DirectorySource::Impl : public Follower {
 public:
  using Follower::Follower;
};

DirectorySource::DirectorySource(const DirectoryOptions& options, Sink sink)
    : impl_(std::make_unique<Impl>(options, std::move(sink), model::parseDocument, makeNotifier())) {}

DirectorySource::~DirectorySource() = default;

Batch DirectorySource::readOnce(const DirectoryOptions& options) { return Follower::readOnce(options, model::parseDocument); }

bool DirectorySource::start(std::string&) {
  impl_->start();
  return true;
}

void DirectorySource::stop() { impl_->stop(); }

}  // namespace emissary::source
