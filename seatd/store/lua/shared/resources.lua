-- resources: things that are limited and are no persons (chat gateways, e-mail profiles): those that are switched on.
-- keys: resources
-- A field is `product domain resource`. None of the three has a space.

local switched = nil

-- product -> domain -> how many.
local function all_switched()
  if not switched then
    switched = {}
    for _, field in ipairs(redis.call('HKEYS', resources)) do
      local product, domain = string.match(field, '^(%S+) (%S+) ')
      switched[product] = switched[product] or {}
      switched[product][domain] = (switched[product][domain] or 0) + 1
    end
  end
  return switched
end

-- How many of a product are switched on in these domains together.
local function switched_on(product, where)
  local per_domain, sum = all_switched()[product] or {}, 0
  for _, domain in ipairs(where) do
    sum = sum + (per_domain[domain] or 0)
  end
  return sum
end
