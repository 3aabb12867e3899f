// What Ctrl-C does, and what every signal does that asks for a stop (SIGINT, SIGTERM, SIGHUP):
//   - The first one sets a flag. Long work looks at the flag, keeps what is worth keeping, and
//     leaves. A process that has not looked two seconds later ends with one line and exit code 1.
//     This loses nothing but its work, since files take their names only when they are whole.
//   - The second one ends the process at once, by the signal. SIGHUP does not count here: a
//     terminal that is closed sends it several times.
#pragma once

#include <stdexcept>

namespace soma::cli {

/// Call it once, before any thread starts.
void install_stop_handlers();

/// True after the first signal. It is cheap enough to be called in every step of a loop. Who sees
/// the flag may take the time that an orderly end needs.
[[nodiscard]] bool stop_requested() noexcept;

/// Ends work of which nothing is worth keeping. main() turns it into a line and exit code 1.
struct stopped : std::runtime_error {
  stopped() : std::runtime_error("a signal asked for it") {}
};
/// Throws `stopped` after the first signal.
void leave_if_stop_requested();

/// While one lives, the process is not ended after two seconds: a step between two looks at the
/// flag may be long, and what it has done is worth keeping.
class patient_stop {
 public:
  patient_stop();
  ~patient_stop();
  patient_stop(const patient_stop&) = delete;
  patient_stop& operator=(const patient_stop&) = delete;
};

/// Ends the process with one line and exit code 1 unless it has ended by itself after so many
/// seconds. A service calls it when it begins to leave: a peer that does not answer must not hold
/// it.
void leave_within(unsigned seconds) noexcept;

}  // namespace soma::cli
