#include "actors/gateway_client/blob_file.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <system_error>

#include "tests/actors/gateway_client/blob_gateways.hpp"

using namespace soma;
using namespace soma::gateway_client;
using namespace soma::test;

namespace {

bytes content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::filesystem::path& path, byte_view data) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
}

}  // namespace

TEST_CASE(
    "a pull into a file that was killed at any place goes on with the chunks that are there") {
  const scratch_directory folder;
  const scripted_blob blob(6 * chunk_size + 99);
  const auto path = folder.path() / "w.part";
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, chunk_size - 1, chunk_size,
                                3 * chunk_size + 5, blob.data.size() - 1, blob.data.size()}) {
    CAPTURE(cut);
    write_file(path, byte_view(blob.data).first(cut));
    scripted_gateways gateways(blob, 1);
    blob_file file(path);
    REQUIRE(pull_blob(blob.id, std::nullopt, gateways.all, file.sink(), gateways.options()));
    CHECK(content_of(path) == blob.data);
    const auto here = cut == blob.data.size() ? blob.data.size() : cut / chunk_size * chunk_size;
    CHECK(gateways.how[0]->given == blob.data.size() - here);
  }
}

TEST_CASE("foreign bytes and longer files are overwritten, chunk by chunk") {
  const scratch_directory folder;
  const scripted_blob blob(3 * chunk_size + 1);
  const auto path = folder.path() / "w.part";
  auto other = blob.data;
  other[chunk_size + 3] ^= 1;
  other.resize(9 * chunk_size, 7);
  write_file(path, other);
  scripted_gateways gateways(blob, 1);
  blob_file file(path);
  REQUIRE(pull_blob(blob.id, std::nullopt, gateways.all, file.sink(), gateways.options()));
  CHECK(content_of(path) == blob.data);
  CHECK(gateways.how[0]->given == chunk_size);
}

TEST_CASE("a rewrite changes every chunk in its place, and a kill within it is healed by a pull") {
  const scratch_directory folder;
  const scripted_blob blob(2 * chunk_size + 10);
  const auto path = folder.path() / "w.part";
  blob_file file(path);
  scripted_gateways gateways(blob, 1);
  REQUIRE(pull_blob(blob.id, std::nullopt, gateways.all, file.sink(), gateways.options()));
  std::vector<std::uint64_t> places;
  file.rewrite([&](std::uint64_t at, std::span<std::uint8_t> chunk) {
    places.push_back(at);
    for (auto& byte : chunk) byte ^= 0xff;
  });
  CHECK(places == std::vector<std::uint64_t>{0, chunk_size, 2 * chunk_size});
  auto inverse = blob.data;
  for (auto& byte : inverse) byte ^= 0xff;
  CHECK(content_of(path) == inverse);
  scripted_gateways again(blob, 1);
  REQUIRE(pull_blob(blob.id, std::nullopt, again.all, file.sink(), again.options()));
  CHECK(content_of(path) == blob.data);
}

TEST_CASE("two processes do not write one file, and links are not followed") {
  const scratch_directory folder;
  const blob_file first(folder.path() / "a");
  CHECK_THROWS_AS(blob_file(folder.path() / "a"), std::system_error);
  std::filesystem::create_symlink(folder.path() / "a", folder.path() / "link");
  CHECK_THROWS_AS(blob_file(folder.path() / "link"), std::system_error);
  CHECK_THROWS_AS(blob_file(folder.path() / "none" / "a"), std::system_error);
}
