// Frames on a wire: cut, flipped, in pieces, and with headers that claim bytes which never come.
#include "messages/wire/frame.hpp"

#include <doctest/doctest.h>

#include "messages/codec/codec.hpp"
#include "messages/values/amounts.hpp"
#include "messages/wire/crc32c.hpp"
#include "tests/messages/codec/samples.hpp"

namespace soma {
namespace {

std::optional<std::uint32_t> limit_of(std::uint16_t type) {
  if (type == 1) return 256;
  if (type == 2) return 8 << 20;
  return std::nullopt;
}

}  // namespace

TEST_CASE("CRC-32C gives the published values") {
  CHECK(crc32c({}) == 0);
  CHECK(crc32c(as_bytes("123456789")) == 0xe3069283);
  CHECK(crc32c(bytes(32, 0)) == 0x8a9136aa);  // RFC 3720 B.4
  CHECK(crc32c(bytes(32, 0xff)) == 0x62a8ab43);
  bytes ascending(32);
  for (std::size_t i = 0; i < 32; ++i) ascending[i] = static_cast<std::uint8_t>(i);
  CHECK(crc32c(ascending) == 0x46dd794e);
  for (std::size_t cut = 0; cut <= 32; ++cut) {
    CHECK(crc32c(byte_view(ascending).subspan(cut), crc32c(byte_view(ascending).first(cut))) ==
          0x46dd794e);
  }
}

TEST_CASE("frames arrive whole, whatever pieces the wire makes of them") {
  for (const auto seed : test::seeds(200)) {
    CAPTURE(seed);
    test::sampler s(seed);
    std::vector<frame> sent;
    bytes wire;
    for (auto count = s.below(5); count > 0; --count) {
      sent.push_back({static_cast<std::uint16_t>(1 + s.below(2)), s.some_bytes(256)});
      const bytes made = make_frame(sent.back().type, sent.back().payload);
      wire.insert(wire.end(), made.begin(), made.end());
    }
    frame_reader reader(limit_of);
    std::vector<frame> received;
    byte_view left = wire;
    while (!left.empty()) {
      const auto step = std::min<std::size_t>(left.size(), s.below(40));
      REQUIRE(reader.feed(left.first(step), received));
      left = left.subspan(step);
    }
    CHECK(received == sent);
    CHECK(reader.is_between_frames());
  }
}

// By security §3.1 every change of a frame is detected.
TEST_CASE("a frame cut at any length is not there yet; a flipped one is refused") {
  const bytes payload = encode(test::sample<transaction>(5));
  const bytes whole = make_frame(2, payload);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    frame_reader reader(limit_of);
    std::vector<frame> received;
    REQUIRE(reader.feed(byte_view(whole).first(size), received));
    REQUIRE(received.empty());
    REQUIRE(reader.is_between_frames() == (size == 0));
  }
  bytes damaged = whole;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    CAPTURE(at);
    for (int mask = 1; mask < 256; ++mask) {
      damaged[at] = static_cast<std::uint8_t>(whole[at] ^ mask);
      frame_reader reader(limit_of);
      std::vector<frame> received;
      const auto fed = reader.feed(damaged, received);
      REQUIRE(received.empty());
      // Only if the length grew, the reader still waits: for bytes that will never match the
      // checksum.
      const bool longer = at >= 8 && at < 12 && !reader.is_between_frames();
      REQUIRE((!fed || longer));
      if (!fed) REQUIRE(!reader.feed(whole, received));
    }
    damaged[at] = whole[at];
  }
}

// By security §3.1 and §3.2 each refusal has its name, and by security §3.4 the reader stays
// refused.
TEST_CASE("a reader refuses by name and stays refused") {
  const auto refusal = [](bytes wire) {
    frame_reader reader(limit_of);
    std::vector<frame> received;
    return reader.feed(wire, received).error();
  };
  CHECK(refusal(make_frame(3, {})) == frame_refusal::unknown_type);
  CHECK(refusal(make_frame(1, bytes(257))) == frame_refusal::too_long);
  CHECK(refusal(bytes(16, 7)) == frame_refusal::wrong_magic);
  bytes flagged = make_frame(1, {});
  flagged[6] = 1;
  CHECK(refusal(flagged) == frame_refusal::unknown_flags);
}

// By security §3.3 memory follows what has arrived.
TEST_CASE("a header that claims megabytes is given room only as they arrive") {
  const bytes whole = make_frame(2, bytes(8 << 20, 5));
  frame_reader reader(limit_of);
  std::vector<frame> received;
  std::size_t fed = 0;
  while (fed < whole.size()) {
    const auto step = std::min<std::size_t>(1'000, whole.size() - fed);
    REQUIRE(reader.feed(byte_view(whole).subspan(fed, step), received));
    fed += step;
    REQUIRE(reader.held_bytes() <= 2 * fed + frame_growth_bytes);
  }
  REQUIRE(received.size() == 1);
  CHECK(received[0].payload.size() == 8 << 20);
  CHECK(reader.held_bytes() == 0);
}

TEST_CASE("amounts and hex are read as they are written") {
  CHECK(to_text(shannons{0}) == "0 SOMA");
  CHECK(to_text(shannons{12'500'000'000}) == "12.5 SOMA");
  CHECK(to_text(shannons{1}) == "0.000000001 SOMA");
  CHECK(to_text(supply_cap) == "10000000 SOMA");
  CHECK(from_hex("0xAb01") == bytes{0xab, 1});
  CHECK(from_hex("") == bytes{});
  CHECK(!from_hex("abc"));
  CHECK(!from_hex("0x0g"));
  CHECK(!from_hex("x0"));
  for (const auto seed : test::seeds(50)) {
    const bytes data = test::sampler(seed).some_bytes(40);
    CHECK(from_hex(to_hex(data)) == data);
  }
}

}  // namespace soma
