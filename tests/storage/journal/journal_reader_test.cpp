#include <doctest/doctest.h>

#include "storage/journal/journal.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using soma::test::random_bytes;
using soma::test::scratch_directory;

namespace {

void append(journal::writer& to, byte_view payload) {
  to.append({&payload, 1});
}

void write_file(const std::filesystem::path& file, byte_view data) {
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
}

std::vector<bytes> all_of(journal::reader& from) {
  std::vector<bytes> found;
  if (from.look() == 0) return found;
  for (byte_view record; from.next(record);) found.push_back(test::copy(record));
  return found;
}

}  // namespace

TEST_CASE("a reader follows a writer, also when the file is begun anew") {
  const scratch_directory dir;
  const auto file = dir.path() / "journal";
  journal::reader from(file);
  CHECK(from.look() == 0);
  journal::writer to(file);
  CHECK(from.look() == 0);
  to.begin(1);
  CHECK(from.look() == 1);
  byte_view record;
  CHECK_FALSE(from.next(record));
  append(to, as_bytes("one"));
  append(to, as_bytes("two"));
  CHECK(all_of(from) ==
        std::vector<bytes>{test::copy(as_bytes("one")), test::copy(as_bytes("two"))});
  append(to, as_bytes("three"));
  CHECK(all_of(from) == std::vector<bytes>{test::copy(as_bytes("three"))});
  to.begin(4);
  append(to, as_bytes("four"));
  CHECK(all_of(from) == std::vector<bytes>{test::copy(as_bytes("four"))});
  CHECK(from.number() == 5);
}

TEST_CASE("a torn last record is the end, and a damaged earlier one is known to be damage") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    const scratch_directory dir;
    const auto file = dir.path() / "journal";
    std::vector<bytes> written;
    std::vector<std::size_t> ends;
    {
      journal::writer to(file);
      to.begin(9);
      ends.push_back(to.size_bytes());
      for (int i = 0; i < 6; ++i) {
        written.push_back(random_bytes(random, 1 + random() % 2'000));
        append(to, written.back());
        ends.push_back(to.size_bytes());
      }
    }
    const auto hit = round % 6;  // the record that is harmed
    bytes data = test::read_file(file);
    const auto first = ends[hit];
    const auto used = 512 * ((16 + written[hit].size() + 510) / 511);
    // A torn write leaves some sectors as they were, zeros; a bad disk flips a bit.
    if (round % 2 == 0) {
      const auto sector = first + random() % (used / 512) * 512;
      std::fill_n(data.begin() + static_cast<std::ptrdiff_t>(sector), 512, std::uint8_t{0});
    } else {
      const auto last = 16 + written[hit].size() + (16 + written[hit].size() + 510) / 511;
      data[first + random() % last] ^= static_cast<std::uint8_t>(1u << random() % 8);
    }
    write_file(file, data);
    journal::reader from(file);
    const auto found = all_of(from);
    CHECK(found == std::vector<bytes>(written.begin(), written.begin() + hit));
    CHECK(from.has_record_from(9 + static_cast<std::uint64_t>(hit)) == (hit < 5));
  }
}

TEST_CASE("a head that is damaged hides no record from the search") {
  const scratch_directory dir;
  const auto file = dir.path() / "journal";
  {
    journal::writer to(file);
    to.begin(1);
    append(to, as_bytes("one"));
  }
  for (std::size_t at = 0; at < 32; ++at) {
    CAPTURE(at);
    test::flip(file, at);
    journal::reader from(file);
    CHECK(all_of(from).empty());
    CHECK(from.has_record_from(1));
    CHECK_FALSE(from.has_record_from(2));
    test::flip(file, at);
  }
}

TEST_CASE("no payload passes for a record, also one that copies a record's bytes") {
  const scratch_directory dir;
  const auto file = dir.path() / "journal", other = dir.path() / "other";
  {
    journal::writer to(other);
    to.begin(100);
    append(to, as_bytes("a record of number 100"));
  }
  const bytes copied = test::read_file(other);
  // The copy lies at each place of the payload, so it also begins where a sector begins.
  bytes payload;
  for (int i = 0; i < 40; ++i) {
    payload.insert(payload.end(), copied.begin() + 512, copied.begin() + 512 + 100);
    payload.resize(payload.size() + static_cast<std::size_t>(i));
  }
  journal::writer to(file);
  to.begin(1);
  append(to, payload);
  CHECK_FALSE(journal::reader(file).has_record_from(2));
  CHECK(journal::reader(file).has_record_from(1));
}
