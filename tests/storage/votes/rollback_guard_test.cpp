// The file `witness` of a voting record: its two slots, its lock, and a disk that has no room for
// it. How it works together with the tables is in voting_record_store_test.cpp.
#include "storage/votes/rollback_guard.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include "storage/lmdb/failure.hpp"
#include "tests/support/process_end.hpp"
#include "tests/support/scratch.hpp"

using soma::hash256;
using soma::lmdb::failure;
using soma::lmdb::failure_code;
using soma::test::scratch_directory;
using soma::votes::rollback_guard;

TEST_CASE("the later of the two slots is what the file knows, also after it was opened anew") {
  const scratch_directory dir;
  const auto file = dir.path() / "witness";
  rollback_guard::create(file, {0, hash256{{1}}});
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) {
    CAPTURE(sequence);
    rollback_guard opened(file);
    REQUIRE(opened.read().has_value());
    CHECK(opened.read()->sequence == sequence - 1);
    opened.write({sequence, hash256{{static_cast<std::uint8_t>(sequence + 1)}}});
    CHECK(opened.read()->sequence == sequence);
    CHECK(opened.read()->head == hash256{{static_cast<std::uint8_t>(sequence + 1)}});
  }
}

TEST_CASE("who opens it owns it, and a file that exists is not made anew") {
  const scratch_directory dir;
  const auto file = dir.path() / "witness";
  rollback_guard::create(file, {7, hash256{{1}}});
  CHECK_THROWS_AS(rollback_guard::create(file, {8, hash256{{1}}}), failure);
  const rollback_guard owner(file);
  CHECK(owner.read()->sequence == 7);
  CHECK_THROWS_AS(rollback_guard{file}, failure);
}

TEST_CASE("a disk with room for half of the file is full, whatever went wrong before") {
  const scratch_directory dir;
  for (const rlim_t room : {0, 100, 4'096, 8'191}) {
    CAPTURE(room);
    const auto file = dir.path() / std::to_string(room);
    const int status = soma::test::status_of([&] {
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{room, room};
      if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
      errno = EACCES;  // what an earlier call has left
      try {
        rollback_guard::create(file, {0, hash256{{1}}});
      } catch (const failure& why) {
        const std::string text = why.what();
        // With no room at all the system names the limit itself.
        const bool is_named = room == 0 ? why.code() == failure_code::machine
                                        : why.code() == failure_code::storage_full &&
                                              text.find("No space left") != std::string::npos;
        ::_exit(is_named && text.find("witness") != std::string::npos ? 9 : 3);
      }
      ::_exit(4);
    });
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 9);
  }
}
