// Errors of net/ are texts for people: they name the address and the reason.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace cistern::net {

template <class T>
using Result = tl::expected<T, std::string>;

}  // namespace cistern::net
