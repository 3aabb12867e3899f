#include "actors/http/chunk_reader.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace soma;
using verdict = http::chunk_reader::verdict;

namespace {

struct outcome {
  verdict end = verdict::more;
  std::string body;
  std::size_t taken = 0;
};

outcome fed(std::string_view text, std::size_t step, std::uint64_t room = 100) {
  http::chunk_reader reader;
  outcome got;
  bytes body;
  while (got.taken < text.size() && reader.now() == verdict::more) {
    const auto rest = as_bytes(text).subspan(got.taken);
    got.taken += reader.feed(rest.first(std::min(step, rest.size())), room - body.size(), body);
  }
  got.end = reader.now();
  got.body.assign(body.begin(), body.end());
  return got;
}

}  // namespace

TEST_CASE("chunks are read however they are cut, up to their end and not beyond") {
  const std::string text = "5\r\nhello\r\n00B\r\n big worlds\r\nA\r\n0123456789\r\n0\r\n\r\n";
  for (std::size_t step = 1; step <= text.size() + 4; ++step) {
    CAPTURE(step);
    const auto got = fed(text + "next", step);
    CHECK(got.end == verdict::done);
    CHECK(got.body == "hello big worlds0123456789");
    CHECK(got.taken == text.size());
  }
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    CHECK(fed(text.substr(0, cut), 1).end == verdict::more);
  }
}

TEST_CASE("what is no chunk is refused, and what is too large by its size alone") {
  for (const std::string bad :
       {"\r\n", "5;x\r\n", "5 \r\n", " 5\r\n", "5\n", "5\rx", "g\r\n", "-1\r\n", "0x5\r\n",
        "1\r\naX", "1\r\na\rX", "0\r\nX", "0\r\n\rX", "0000000000000001\r\n"}) {
    CAPTURE(bad);
    for (const std::size_t step : {1UL, 100UL}) CHECK(fed(bad, step).end == verdict::malformed);
  }
  CHECK(fed("64\r\n", 1).end == verdict::more);
  CHECK(fed("65\r\n", 1).end == verdict::too_large);
  CHECK(fed("60\r\n" + std::string(96, 'x') + "\r\n5", 7).end == verdict::too_large);
  CHECK(fed("fffffffffffffff\r\n", 1).end == verdict::too_large);
}
