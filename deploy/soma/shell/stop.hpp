// Ctrl-C and SIGTERM set a flag, which long work checks. A second signal ends the process at once.
#pragma once

namespace soma::cli {

/// Call it once, before any thread starts.
void install_stop_handlers();

/// True after the first SIGINT or SIGTERM. It is cheap enough to be called in every step of a loop.
[[nodiscard]] bool stop_requested() noexcept;

/// Sets the flag as a signal does; for work that ends itself, and for tests.
void request_stop() noexcept;

}  // namespace soma::cli
