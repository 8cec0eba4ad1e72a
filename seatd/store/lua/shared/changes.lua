-- changes: what administrators keep, set or deleted: fields of hashes, and members of `assignments` (license and user, with a
-- space between).
-- keys: none (the places are given)

local function change_member(key, change)
  local member = string.gsub(change.field, ' ', '\0', 1)
  if change.value then
    redis.call('ZADD', key, 0, member)
  else
    redis.call('ZREM', key, member)
  end
end

local function change_field(key, change)
  if change.value then
    redis.call('HSET', key, change.field, change.value)
  else
    redis.call('HDEL', key, change.field)
  end
end

local function apply(places)
  for _, change in ipairs(args.changes) do
    local by = change.place == 'assignments' and change_member or change_field
    by(places[change.place], change)
  end
end
