#include "semantic/graph.hpp"

#include <utility>

namespace actionhist {

void Graph::write(BinaryWriter& out) const {
  out.put(id_);
  out.put(parts_.m);
  out.put(parts_.entry);
  out.put(parts_.top_level);
  out.put_all(parts_.links);
  out.put_all(parts_.upper_places);
  out.put_all(parts_.upper_links);
  out.put_all(parts_.levels);
}

std::shared_ptr<const Graph> Graph::read(BinaryReader& in, std::shared_ptr<const void> owner) {
  const auto id = in.get<std::uint64_t>();
  Parts parts;
  parts.m = in.get<std::uint32_t>();
  parts.entry = in.get<std::uint32_t>();
  parts.top_level = in.get<std::uint32_t>();
  parts.links = in.get_all<std::uint32_t>();
  parts.upper_places = in.get_all<std::uint32_t>();
  parts.upper_links = in.get_all<std::uint32_t>();
  parts.levels = in.get_all<std::uint8_t>();
  // The links are looked at when they are followed.
  const std::size_t slots = parts.levels.size();
  const bool fits = parts.m >= 2 && parts.m <= 256 && parts.links.size() == slots * 2 * parts.m &&
                    parts.upper_places.size() == slots && parts.upper_links.size() % parts.m == 0 &&
                    (slots == 0 ? parts.entry == none
                                : parts.entry < slots && parts.levels[parts.entry] == parts.top_level);
  in.require(fits, "a graph whose parts do not fit");
  return std::make_shared<const Graph>(parts, std::move(owner), id);
}

}  // namespace actionhist
