// Weights that stay in their file. They are the same weights without the memory. Also tests what
// happens when the file changes.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <numeric>

#include "model/noise/noise.hpp"
#include "model/weights/architectures.hpp"
#include "model/weights/plain_file.hpp"
#include "model/weights/weights.hpp"
#include "tests/model/weights/weights_files.hpp"

using namespace soma;
using namespace soma::noise;
using namespace soma::test;
using namespace soma::weights;
using refusal = weights_refusal;

namespace {

constexpr model_architecture small_arch{1, 4, 1, 2, 4};

void write(const std::filesystem::path& path, byte_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
  REQUIRE(file.good());
}

/// Overwrites one byte of a file.
void poke(const std::filesystem::path& path, std::uint64_t at, std::uint8_t value) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  CHECK(::pwrite(fd, &value, 1, static_cast<off_t>(at)) == 1);
  ::close(fd);
}

std::uint64_t anonymous_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "RssAnon:") continue;
    std::uint64_t kib = 0;
    status >> kib;
    return kib * 1024;
  }
  FAIL("the kernel tells the anonymous memory");
  return 0;
}

/// Weights mapped from a file whose stamp is settled.
struct settled_mapping {
  temporary_folder place;
  std::filesystem::path path = place.path / "w";
  model_weights made = init_weights(small_arch, 1);
  model_weights mapped = map();

 private:
  [[nodiscard]] model_weights map() const {
    write_weights(path, made);
    ::usleep(20'000);
    REQUIRE(plain_file::open(path)->stamp()->settled);
    return map_weights(path).value();
  }
};

std::optional<refusal> verdict(const auto& result) {
  return result ? std::nullopt : std::optional(result.error());
}

}  // namespace

TEST_CASE("mapped weights are the weights that are read: hash, architecture, every tensor, file") {
  const temporary_folder place;
  const auto path = place.path / "w";
  for (const char* name : {"1,4,1,2,4", "2,8,2,6,16", "11,4,2,3,8", "tiny"}) {
    CAPTURE(name);
    const auto made = init_weights(*parse_architecture(name), 7);
    write_weights(path, made);
    const auto mapped = map_weights(path);
    REQUIRE(mapped.has_value());
    CHECK(mapped->is_mapped());
    CHECK(!made.is_mapped());
    CHECK(mapped->hash() == made.hash());
    CHECK(mapped->architecture() == made.architecture());
    CHECK(mapped->file_bytes() == made.file_bytes());
    CHECK(mapped->file_size_bytes() == made.file_size_bytes());
    for (const auto& spec : tensor_table(made.architecture())) {
      const auto a = mapped->tensor(spec.name);
      const auto b = made.tensor(spec.name);
      CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    }
    CHECK(mapped->still_as_mapped());
    CHECK(made.still_as_mapped());
    const auto outline = read_outline(path);
    REQUIRE(outline.has_value());
    CHECK(outline->architecture == made.architecture());
    CHECK(outline->file_size_bytes == std::filesystem::file_size(path));
    // The weights are written from the mapping over the very file that is mapped.
    write_weights(path, *mapped);
    CHECK(read_weights(path)->hash() == made.hash());
    CHECK(mapped->still_as_mapped());
  }
}

TEST_CASE("mapping takes no memory of its own, not even when every value is read") {
  const temporary_folder place;
  const auto path = place.path / "w";
  const auto arch = *parse_architecture("4,512,8,2048,64");  // 51 MB
  write_weights(path, init_weights(arch, 1));
  const auto before = anonymous_bytes();
  const auto mapped = map_weights(path);
  REQUIRE(mapped.has_value());
  double sum = 0;
  for (const auto& spec : tensor_table(arch)) {
    const auto values = mapped->tensor(spec.name);
    sum = std::accumulate(values.begin(), values.end(), sum);
  }
  CHECK(sum != 0);
  CHECK(mapped->file_size_bytes() > 50'000'000);
  CHECK(anonymous_bytes() < before + 4'000'000);
}

TEST_CASE("the numbers live as long as the last copy, the path does not matter") {
  const temporary_folder place;
  const auto path = place.path / "w";
  const auto made = init_weights(small_arch, 3);
  write_weights(path, made);
  std::optional<model_weights> first = *map_weights(path);
  const model_weights copy = *first;
  CHECK(copy.tensor("embedding.weight").data() == first->tensor("embedding.weight").data());
  first.reset();
  std::filesystem::remove_all(place.path);
  CHECK(copy.file_bytes() == made.file_bytes());
  CHECK(copy.still_as_mapped());
}

TEST_CASE("bytes that are given away are kept, not copied") {
  auto file = init_weights(small_arch, 3).file_bytes();
  const auto same = file;
  const auto* const begin = file.data();
  const auto size = file.size();
  const auto parsed = parse_weights(std::move(file));
  REQUIRE(parsed.has_value());
  const auto* const first =
      reinterpret_cast<const std::uint8_t*>(parsed->tensor("embedding.weight").data());
  CHECK((first > begin && first < begin + size));
  CHECK(parsed->file_bytes() == same);
  CHECK(parsed->hash() == parse_weights(byte_view(same))->hash());
}

TEST_CASE("whatever is wrong with a file, memory, reading and mapping refuse it by the same name") {
  const temporary_folder place;
  const auto path = place.path / "w";
  const auto good = init_weights(small_arch, 1).file_bytes();
  std::uint64_t header = 0;
  std::memcpy(&header, good.data(), 8);
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    CAPTURE(seed);
    noise_generator noise(seed);
    auto damaged = good;
    // A third of the changes each: in the header, in the values, and cuts.
    if (seed % 3 == 0) damaged[noise.below(8 + header)] ^= 1u << noise.below(8);
    if (seed % 3 == 1) damaged[8 + header + 4 * noise.below(1000) + 3] |= 0x7f;
    if (seed % 3 == 2) damaged.resize(noise.below(damaged.size()));
    write(path, damaged);
    const auto parsed = parse_weights(byte_view(damaged));
    const auto mapped = map_weights(path);
    CHECK(verdict(parsed) == verdict(parse_weights(bytes(damaged))));
    CHECK(verdict(parsed) == verdict(read_weights(path)));
    CHECK(verdict(parsed) == verdict(mapped));
    const auto outline = read_outline(path);
    if (verdict(parsed) == refusal::value_not_finite) {
      CHECK(outline.has_value());
    } else {
      CHECK(verdict(parsed) == verdict(outline));
    }
    refused += !parsed;
    if (parsed && mapped) CHECK(parsed->hash() == mapped->hash());
  }
  CHECK(refused > 400);

  for (const char* other : {"absent", "folder", "dangling", "pipe"}) {
    CAPTURE(other);
    const auto where = place.path / other;
    if (other == std::string_view("folder")) std::filesystem::create_directory(where);
    if (other == std::string_view("dangling")) std::filesystem::create_symlink("absent", where);
    if (other == std::string_view("pipe")) REQUIRE(::mkfifo(where.c_str(), 0600) == 0);
    CHECK(verdict(map_weights(where)) == refusal::cannot_open);
    CHECK(verdict(read_outline(where)) == refusal::cannot_open);
  }
  write_weights(path, init_weights(small_arch, 1));
  const auto link = place.path / "link";
  std::filesystem::create_symlink(path, link);
  CHECK(map_weights(link)->hash() == map_weights(path)->hash());
  CHECK(read_outline(link).has_value());
}

TEST_CASE("heads and positions of the caller override those of mappings and outlines, too") {
  const temporary_folder place;
  const auto path = place.path / "w";
  write_weights(path, init_weights({1, 8, 2, 4, 16}, 1));
  const weights_overrides said{.heads = 4, .max_seq = 32};
  CHECK(map_weights(path, said)->architecture() == model_architecture{1, 8, 4, 4, 32});
  CHECK(read_outline(path, said)->architecture == model_architecture{1, 8, 4, 4, 32});
  CHECK(verdict(map_weights(path, {.heads = 3, .max_seq = {}})) == refusal::invalid_architecture);
}

TEST_CASE("a write to the mapped file is noticed, however soon it comes and whatever is forged") {
  const temporary_folder place;
  const auto path = place.path / "w";
  const auto made = init_weights(small_arch, 1);
  const auto last = made.file_size_bytes() - 1;
  const auto old = made.file_bytes()[last];
  // There are many more writes than ticks of the clock. (Kernels from 6.13 on have finer stamps,
  // with which a reader that looks at stamps alone would pass.)
  for (std::uint64_t round = 0; round < 50; ++round) {
    CAPTURE(round);
    write(path, made.file_bytes());
    const auto mapped = map_weights(path);
    REQUIRE(mapped.has_value());
    CHECK(mapped->still_as_mapped());
    if (round % 2 == 1) ::usleep(12'000);  // the stamp has settled in some rounds
    struct stat before {};
    REQUIRE(::stat(path.c_str(), &before) == 0);
    poke(path, last, static_cast<std::uint8_t>(old ^ 1));
    if (round % 5 == 4) {
      const timespec times[2] = {before.st_atim, before.st_mtim};
      REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
    }
    CHECK(!mapped->still_as_mapped());
  }
}

TEST_CASE("a settled stamp sees a change that was undone again") {
  const settled_mapping file;
  const auto old = file.made.file_bytes()[100];
  poke(file.path, 100, static_cast<std::uint8_t>(old ^ 1));
  poke(file.path, 100, old);
  CHECK(file.mapped.file_bytes() == file.made.file_bytes());
  CHECK(!file.mapped.still_as_mapped());
}

TEST_CASE("a file that was cut, grew or was dated otherwise is noticed") {
  const temporary_folder place;
  const auto path = place.path / "w";
  const auto made = init_weights(small_arch, 1);
  for (const int change : {0, 1, 2}) {
    CAPTURE(change);
    write_weights(path, made);
    const auto mapped = map_weights(path);
    REQUIRE(mapped.has_value());
    if (change == 0) std::filesystem::resize_file(path, made.file_size_bytes() - 1);
    if (change == 1) std::filesystem::resize_file(path, made.file_size_bytes() + 1);
    if (change == 2)
      std::filesystem::last_write_time(
          path, std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
    CHECK(!mapped->still_as_mapped());
  }
}

TEST_CASE("names and rights are not content: renamed, linked, removed, the file is as mapped") {
  const settled_mapping file;
  const auto second = file.place.path / "second";
  const auto third = file.place.path / "third";
  std::filesystem::create_hard_link(file.path, second);
  CHECK(file.mapped.still_as_mapped());
  std::filesystem::rename(file.path, third);
  CHECK(file.mapped.still_as_mapped());
  std::filesystem::permissions(third, std::filesystem::perms::owner_read);
  CHECK(file.mapped.still_as_mapped());
  write_weights(second, init_weights(small_arch, 2));  // another file under the same name
  std::filesystem::remove(third);
  CHECK(file.mapped.still_as_mapped());
  CHECK(file.mapped.file_bytes() == file.made.file_bytes());
}

TEST_CASE("values behind the cut end of a mapped file are a signal; asking first is not") {
  const temporary_folder place;
  const auto path = place.path / "w";
  const auto arch = *parse_architecture("tiny");  // large enough for many pages
  write_weights(path, init_weights(arch, 1));
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGBUS, SIG_DFL);
    const auto mapped = map_weights(path);
    if (!mapped || ::truncate(path.c_str(), 0) != 0) ::_exit(1);
    if (mapped->still_as_mapped()) ::_exit(2);
    const volatile float value = mapped->tensor("predictor.weight").back();
    ::_exit(value == 0 ? 3 : 4);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGBUS);
}

TEST_CASE("the outline of the great architecture needs its header alone") {
  const temporary_folder place;
  const auto path = place.path / "w";
  const auto arch = *parse_architecture("v1");
  // A header before a hole of the full size: the values are never written and never read.
  const auto file = file_of(python_header(arch), {});
  write(path, file);
  std::filesystem::resize_file(path, file.size() + 4 * parameter_count(arch));
  const auto outline = read_outline(path);
  REQUIRE(outline.has_value());
  CHECK(outline->architecture == arch);
  CHECK(outline->file_size_bytes == file.size() + 4 * parameter_count(arch));
}
