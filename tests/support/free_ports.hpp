#pragma once

#include <cstdint>

namespace soma::support {

/// The first of `count` ports of 127.0.0.1 in a row that nobody listens on. They lie below the
/// ports that the system gives out by itself. Each call looks after the ports of the last call, and
/// each process begins at another port, so that two that ask at once hardly ever find the same
/// ports. Throws std::runtime_error when there are none.
[[nodiscard]] std::uint16_t free_ports(std::uint16_t count);

}  // namespace soma::support
