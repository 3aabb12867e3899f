// The one binary. Its exit codes: 0 means done; 1 means refused, failed or stopped, and one line
// says what failed, why, and what to do; 2 means wrong usage.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <string_view>
#include <system_error>
#include <utility>

#include "deploy/soma/command_line.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/shell/start_folder.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/source/ledger_source.hpp"
#include "deploy/soma/usage.hpp"
#include "storage/blobs/failure.hpp"
#include "storage/lmdb/failure.hpp"

namespace {

/// Whether the command asks for JSON. The refusals of its own words are JSON then, too, so this is
/// known before they are parsed.
bool wants_json = false;

int leave(const soma::cli::failure& f) {
  soma::cli::note_line(wants_json ? soma::cli::json_line(f) : soma::cli::one_line(f));
  return static_cast<int>(f.code);
}

/// What an exception means for a person. Verbs that know more than its text refuse by themselves.
soma::cli::failure failure_of(const std::exception& error) {
  using soma::cli::exit_code;
  using soma::lmdb::failure_code;
  namespace names = soma::cli::failure_names;
  const auto* of_store = dynamic_cast<const soma::lmdb::failure*>(&error);
  if (of_store != nullptr) {
    const bool is_damaged = of_store->code() == failure_code::corrupt_record ||
                            of_store->code() == failure_code::broken_file;
    return {"stopped", error.what(),
            is_damaged ? "use a copy of the ledger, or let the node fetch it again from its peers"
                       : "check the disk, its room and who may write there",
            exit_code::failed, names::disk};
  }
  const bool is_of_disk = dynamic_cast<const std::system_error*>(&error) != nullptr ||
                          dynamic_cast<const soma::blobs::blob_failure*>(&error) != nullptr;
  if (is_of_disk && soma::cli::is_start_folder_gone()) {
    return {"stopped", soma::cli::reason_of(error), "start it in a folder that exists"};
  }
  const bool is_of_source = dynamic_cast<const soma::cli::source_failure*>(&error) != nullptr;
  return {"stopped", soma::cli::reason_of(error),
          is_of_disk ? "check the disk, its room and who may write there" : "", exit_code::failed,
          is_of_disk     ? names::disk
          : is_of_source ? names::unreachable
                         : names::failed};
}

int run(int argc, char** argv) {
  auto verbs = soma::cli::bind_verbs();
  auto command = soma::cli::parse_command_line(argc, argv, verbs);
  if (!command) return leave(command.error());
  if (command->action == nullptr) {
    auto text = command->text;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    soma::cli::print_text(text);
    return 0;
  }
  const auto done = command->action->run(command->context);
  return done ? 0 : leave(done.error());
}

/// Opens the standard streams that the caller has closed. Otherwise the next file that is opened,
/// such as a ledger, would take their number, and a line for a person would be written into it.
/// A closed stdout still cannot be written, so that nobody takes silence for success.
void hold_standard_streams() {
  for (const auto& [number, mode] :
       {std::pair{STDIN_FILENO, O_RDONLY}, {STDOUT_FILENO, O_RDONLY}, {STDERR_FILENO, O_WRONLY}}) {
    if (::fcntl(number, F_GETFD) == -1 && errno == EBADF) (void)::open("/dev/null", mode);
  }
}

/// Weights and ledgers are read through memory maps. When such a file becomes shorter while it is
/// in use, or its disk fails, the kernel tells the process by this signal, at a place where it
/// cannot go on.
extern "C" void end_without_the_file(int number, siginfo_t* what, void*) {
  if (what->si_code == BUS_ADRERR) {
    static constexpr std::string_view line =
        "soma: stopped: a file that is in use was made shorter, or its disk failed; check the "
        "disk, "
        "and write such a file anew in place of changing it\n";
    (void)!::write(STDERR_FILENO, line.data(), line.size());
    ::_exit(1);
  }
  ::signal(number, SIG_DFL);
  ::raise(number);
}

void explain_lost_files() {
  struct sigaction action {};
  action.sa_sigaction = &end_without_the_file;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_streams();
  explain_lost_files();
  soma::cli::install_stop_handlers();
  wants_json = soma::cli::asks_for_json({argv, static_cast<std::size_t>(argc)});
  try {
    return run(argc, argv);
  } catch (const soma::cli::reader_gone&) {
    return 0;  // as much was printed as somebody wanted to read
  } catch (const soma::cli::stopped& stop) {
    return leave({"stopped", stop.what(), "", soma::cli::exit_code::failed,
                  soma::cli::failure_names::stopped});
  } catch (const std::bad_alloc&) {
    return leave({"out of memory", "an allocation failed",
                  "free memory or lower the sizes asked for", soma::cli::exit_code::failed,
                  soma::cli::failure_names::out_of_memory});
  } catch (const std::exception& error) {
    return leave(failure_of(error));
  }
}
