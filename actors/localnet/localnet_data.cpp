#include "actors/localnet/localnet_data.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "actors/localnet/localnet.hpp"
#include "messages/crypto/random.hpp"

namespace soma::localnet {

split_source split(const localnet_source& source) {
  split_source out;
  for (const auto& file : source.files) {
    const auto cut = file.size() - file.size() / 8;
    out.training.emplace_back(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(cut));
    out.held_out.insert(out.held_out.end(), file.begin() + static_cast<std::ptrdiff_t>(cut),
                        file.end());
  }
  return out;
}

void write_file(const std::filesystem::path& path, byte_view content) {
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
  file.close();
  if (file) return;
  const int error = errno == 0 ? EIO : errno;
  throw std::system_error(error, std::generic_category(), "cannot write " + path.string());
}

bytes interleave(const std::vector<bytes>& texts, std::size_t total_bytes, std::uint64_t seed) {
  crypto::seeded_random random(seed);
  std::vector<std::size_t> places(texts.size(), 0);
  bytes out;
  std::size_t exhausted = 0;
  for (std::size_t turn = 0; out.size() < total_bytes && exhausted < texts.size(); ++turn) {
    const auto source = turn % texts.size();
    const auto& text = texts[source];
    auto& place = places[source];
    exhausted = place < text.size() ? 0 : exhausted + 1;
    const auto wanted = static_cast<std::size_t>(400 + random.below(801));
    const auto size = std::min({wanted, text.size() - place, total_bytes - out.size()});
    out.insert(out.end(), text.begin() + static_cast<std::ptrdiff_t>(place),
               text.begin() + static_cast<std::ptrdiff_t>(place + size));
    place += size;
  }
  return out;
}

}  // namespace soma::localnet
