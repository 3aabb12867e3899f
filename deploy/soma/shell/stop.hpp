// Ctrl-C and SIGTERM as a flag that long work looks at. The second signal ends the process at once.
#pragma once

namespace soma::cli {

/// Once, before threads start.
void install_stop_handlers();

/// True after the first SIGINT or SIGTERM. Cheap enough for every step of a loop.
[[nodiscard]] bool stop_requested() noexcept;

/// The same as a signal would; for work that ends itself, and for tests.
void request_stop() noexcept;

}  // namespace soma::cli
