// A value, or the named reason why there is no value. Refusals of foreign input are returned in it;
// they are never thrown.
#pragma once

#include <tl/expected.hpp>

namespace soma::inline values {

template <class T, class E>
using expected = tl::expected<T, E>;

using tl::make_unexpected;
using tl::unexpected;

}  // namespace soma::inline values
