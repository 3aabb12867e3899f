#include "deploy/soma/model/kept_specialists.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "deploy/soma/version.hpp"
#include "messages/crypto/hash.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_digits = 32, weights_digits = 16;

std::string weights_name(const std::string& key, const weights::model_weights& trained) {
  return key + "-" + to_hex(trained.hash().view()).substr(0, weights_digits) + ".safetensors";
}

/// Removes the files that were used longest ago until only so many are left as may stay. A file
/// that cannot be removed stays: it costs room, and nothing else.
void remove_oldest(const fs::path& folder) {
  std::vector<std::pair<fs::file_time_type, fs::path>> all;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::error_code gone;
    const auto time = entry.last_write_time(gone);
    if (!gone) all.emplace_back(time, entry.path());
  }
  std::ranges::sort(all);
  for (std::size_t i = 0; i + max_kept_specialists < all.size(); ++i) {
    std::error_code ignored;
    fs::remove(all[i].second, ignored);
  }
}

}  // namespace

std::string training_key(const weights::model_weights& start, const std::vector<bytes>& data,
                         training::trainer_options options) {
  crypto::tagged_hash key("soma.specialist");
  key.add(byte_view(reinterpret_cast<const std::uint8_t*>(version.data()), version.size()));
  key.add_u64(options.steps).add_u32(options.batch).add_u64(options.seed);
  key.add(start.hash()).add_u64(data.size());
  for (const auto& one : data) key.add_u64(one.size()).add(one);
  options.checkpoint.clear();
  options.on_progress = nullptr;
  auto trainer = training::trainer::start(start, data, std::move(options));
  if (!trainer) throw std::runtime_error(std::string(training::to_text(trainer.error())));
  if (const auto step = trainer->step(); !step) {
    throw std::runtime_error(std::string(training::to_text(step.error())));
  }
  key.add(trainer->snapshot().hash());
  return to_hex(key.finish().view()).substr(0, key_digits);
}

std::optional<weights::model_weights> kept_specialists::find(const std::string& key) const {
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    const auto path = at->path();
    const auto name = path.filename().string();
    if (!name.starts_with(key + "-") || path.extension() != ".safetensors") continue;
    auto read = weights::read_weights(path);
    if (!read || weights_name(key, *read) != name) continue;
    std::error_code ignored;
    fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
    return std::move(*read);
  }
  return std::nullopt;
}

void kept_specialists::keep(const std::string& key, const weights::model_weights& trained) const {
  fs::create_directories(folder_);
  weights::write_weights(folder_ / weights_name(key, trained), trained);
  std::error_code ignored;
  fs::remove(folder_ / (key + ".checkpoint"), ignored);
  remove_oldest(folder_);
}

fs::path kept_specialists::checkpoint(const std::string& key) const {
  fs::create_directories(folder_);
  return folder_ / (key + ".checkpoint");
}

}  // namespace soma::cli
