#include "deploy/soma/source/localnet_home.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "deploy/soma/shell/config.hpp"
#include "deploy/soma/shell/options.hpp"
#include "model/weights/architectures.hpp"

namespace soma::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* readers_lock_name = "readers.lock";

/// A folder that no local network made is neither moved nor removed. The sign of a local network is
/// the folder `data`, which it makes first. What cannot be looked into is refused for that reason.
outcome check_replaceable(const fs::path& directory) {
  std::error_code error;
  const auto found = fs::status(directory, error).type();
  if (found == fs::file_type::not_found) return {};
  if (found != fs::file_type::none && fs::exists(directory / "data", error)) return {};
  if (!error && found == fs::file_type::directory && fs::is_empty(directory, error)) return {};
  if (error && error != std::errc::not_a_directory) {
    return failed("cannot look into " + directory.string(), error.message(),
                  "make it readable, or choose another --home");
  }
  return failed("will not replace " + directory.string(),
                "it holds something other than a local network", "choose another --home");
}

constexpr const char* index_remedy =
    "correct it, or remove the file: it only has the names of the models";

}  // namespace

expected<running_localnet, failure> fresh_localnet(const fs::path& home) {
  const auto directory = home / "localnet";
  const auto previous = home / "localnet.previous";
  std::error_code error;
  fs::create_directories(home, error);
  if (error)
    return failed("cannot make " + home.string(), error.message(), "choose another --home");
  auto lock = folder_lock::take(
      home / "localnet.lock",
      failure{"cannot run a local network in " + home.string(), "another one runs there",
              "wait for its end, or choose another --home"});
  if (!lock) return make_unexpected(lock.error());
  for (const auto& folder : {directory, previous}) {
    if (auto checked = check_replaceable(folder); !checked) {
      return make_unexpected(checked.error());
    }
  }
  // The locks end with this function: the folders have their new places then.
  std::vector<folder_lock> unread;
  for (const auto& folder : {directory, previous}) {
    if (!fs::exists(folder, error)) continue;
    auto alone =
        folder_lock::take(folder / readers_lock_name,
                          failure{"cannot replace " + folder.string(), "another process reads it",
                                  "wait until `soma ask` has ended, or choose another --home"});
    if (!alone) return make_unexpected(alone.error());
    unread.push_back(std::move(*alone));
  }
  if (fs::exists(directory, error)) {
    fs::remove_all(previous, error);
    if (!error) fs::rename(directory, previous, error);
  }
  if (!error) fs::create_directories(directory, error);
  if (error)
    return failed("cannot make " + directory.string(), error.message(), "choose another --home");
  return running_localnet{directory, std::move(*lock)};
}

expected<std::optional<folder_lock>, failure> read_localnet(const fs::path& directory) {
  return folder_lock::share(directory / readers_lock_name,
                            {"cannot read the network in " + directory.string(),
                             "`soma localnet` is replacing it", "try again"});
}

outcome write_localnet_index(const fs::path& directory, const localnet::localnet_report& report,
                             const model_architecture& arch) {
  json::object names;
  for (const auto& model : report.models) names.emplace_back(model.id.text(), model.name);
  const auto document = json::of({{"seed", report.seed},
                                  {"architecture", weights::to_text(arch)},
                                  {"state_root", report.state_root.text()},
                                  {"models", json(std::move(names))}});
  const auto text = to_toml(document);
  return write_named_file(
      directory / "index.toml",
      byte_view(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()), true);
}

expected<std::map<model_id, std::string>, failure> model_names(const fs::path& directory) {
  std::map<model_id, std::string> names;
  const auto path = directory / "index.toml";
  std::error_code error;
  if (fs::symlink_status(path, error).type() == fs::file_type::not_found) return names;
  const auto document = read_config(path);
  const auto what = "cannot read the index " + path.string();
  if (!document) return failed(what, document.error().why, index_remedy);
  const auto refused = [&](const json& at, const std::string& why) {
    return failed(what, line_of(at) + why, index_remedy);
  };
  // A local network writes all of it at once, so a file without a word was cut off.
  if (document->as_object()->empty()) return failed(what, "it is empty", index_remedy);
  for (const auto& [name, value] : *document->as_object()) {
    const std::vector<std::string> known{"seed", "architecture", "state_root", "models"};
    if (std::ranges::find(known, name) == known.end()) {
      return refused(value, "there is no such name as " + name + nearest_of(name, known));
    }
  }
  const auto* seed = document->find("seed");
  if (seed != nullptr && !seed->is_integer()) return refused(*seed, "seed is not a whole number");
  for (const auto* text : {"architecture", "state_root"}) {
    const auto* value = document->find(text);
    if (value != nullptr && value->as_string() == nullptr) {
      return refused(*value, std::string(text) + " is not a text in quotes");
    }
  }
  const auto* models = document->find("models");
  if (models == nullptr) return names;
  if (models->as_object() == nullptr) return refused(*models, "models is not a table");
  for (const auto& [id, name] : *models->as_object()) {
    const auto model = model_id::parse(id);
    if (!model) return refused(name, id + " is not the id of a model");
    if (name.as_string() == nullptr) return refused(name, "the name of a model is a text");
    names[*model] = *name.as_string();
  }
  return names;
}

}  // namespace soma::cli
