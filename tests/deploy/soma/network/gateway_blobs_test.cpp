#include "deploy/soma/network/gateway_blobs.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "deploy/soma/source/ledger_source.hpp"
#include "tests/actors/gateway_client/blob_gateways.hpp"
#include "tests/actors/replay/honest_proposer.hpp"

using namespace soma;
using namespace soma::cli;
using namespace soma::test;

TEST_CASE("an upload is reserved for its account, and the refusals of all gateways are told") {
  const scripted_blob blob(chunk_size + 7);
  std::string reserved;
  std::vector<bytes> came;
  gateway_client::blob_port port;
  const auto progress = [&](std::size_t missing) {
    const auto made = message<schema::PutProgress>::build([&](auto out) {
      out.setBlob(data_of(blob.id));
      auto list = out.initMissing(static_cast<unsigned>(missing));
      for (unsigned i = 0; i < missing; ++i)
        list.set(i, static_cast<std::uint32_t>(2 - missing + i));
    });
    return gateway_client::fetched(bytes(made.bytes().begin(), made.bytes().end()));
  };
  port.begin = [&](const blob_id&, byte_view, const std::string& by) {
    reserved = by;
    return progress(2 - came.size());
  };
  port.put = [&](const blob_id&, std::uint32_t, byte_view chunk, const std::string&) {
    came.emplace_back(chunk.begin(), chunk.end());
    // So long that what is to be done meanwhile is due.
    if (came.size() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(3'100));
    return progress(2 - came.size());
  };
  int followed = 0;
  const auto taken =
      upload_blob(blob.data, key_of(3), chain_id{{4}}, {{"a", {port}}}, {}, [&] { ++followed; });
  CHECK(followed == 1);
  CHECK(taken.blob == blob.id);
  CHECK(taken.by == "a");
  REQUIRE(came.size() == 2);
  CHECK(came[0].size() == chunk_size);
  CHECK(came[1].size() == 7);
  const auto read = message<schema::UploadReservation>::parse(*from_hex(reserved));
  REQUIRE(read.has_value());
  CHECK(read->root().getSizeBytes() == blob.data.size());
  CHECK(std::ranges::equal(view_of(read->root().getKey()), key_of(3).public_half()));
  port.begin = [](const blob_id&, byte_view, const std::string&) -> gateway_client::fetched {
    return make_unexpected(
        gateway_client::fetch_error(gateway_client::fetch_failure::not_believed));
  };
  CHECK_THROWS_AS((void)upload_blob(blob.data, key_of(3), {}, {{"a", {port}}}, {}, {}),
                  source_failure);
}

TEST_CASE("each gateway has two connections, and the name that people know") {
  const auto made = make_blob_gateways(
      {{true, "a.example", 443, std::nullopt}, {false, "127.0.0.1", 80, std::nullopt}});
  REQUIRE(made.size() == 2);
  CHECK(made[0].connections.size() == 2);
  CHECK(made[0].name.find("a.example") != std::string::npos);
}
