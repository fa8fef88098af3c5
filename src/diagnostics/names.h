#pragma once
// The names that diagnostics give to things, as existing tools know them.

#include <cstdint>
#include <string>
#include <string_view>

#include "ir/ir.h"
#include "model/ref.h"

namespace emissary::diagnostics {

/// The key of an object: "<name>.<namespace>.1". Objects of different kinds may share one.
std::string rkey(const ObjectRef& ref);

/// 40 hexadecimal digits that depend on what the group matches and on nothing else.
std::string groupId(const ir::Match& match);
/// Likewise, of TCPMappings.
std::string tcpGroupId(std::string_view address, uint32_t port, std::string_view host);

/// For a part of a URL: what is no letter, digit, '-', '.', '_' or '~' is percent-encoded.
std::string urlEncoded(std::string_view text);

}  // namespace emissary::diagnostics
