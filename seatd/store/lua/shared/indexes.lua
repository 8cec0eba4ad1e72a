-- indexes: members of a sorted set that begin with `head` and a NUL, in lexicographic order.
-- keys: none

local function range(key, head, limit, after)
  local from = after and '(' .. after or '[' .. head .. '\0'
  return redis.call('ZRANGEBYLEX', key, from, '(' .. head .. '\1', 'LIMIT', 0, limit or -1)
end

local function count(key, head)
  return redis.call('ZLEXCOUNT', key, '[' .. head .. '\0', '(' .. head .. '\1')
end

local function has(key, member)
  return redis.call('ZSCORE', key, member) ~= false
end

local function tail(member)
  return string.match(member, '^[^%z]*%z(.*)$')
end
