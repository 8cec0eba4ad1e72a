-- changes: fields of hashes that administrators keep, set or deleted.
-- keys: none (the places are given)

local function apply(places)
  for _, change in ipairs(args.changes) do
    local key = places[change.place]
    if change.value then
      redis.call('HSET', key, change.field, change.value)
    else
      redis.call('HDEL', key, change.field)
    end
  end
end
