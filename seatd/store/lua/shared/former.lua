-- former: a customer that was deleted gets nothing, and nothing more is kept of it, until it is made anew.
-- keys: customers former_customers

local function is_former()
  return redis.call('SISMEMBER', former_customers, args.customer) == 1 and redis.call('SISMEMBER', customers, args.customer) == 0
end
