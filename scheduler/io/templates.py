"""A template of each input table: its fields in order, with rows that can be read and replaced."""

from typing import Final

TEMPLATES: Final = {
    "workloads": """\
id,origin,class,latency_ms,residency,grade,cards,demand,instead,gang,gang_scope,hours,earliest,latest,due,\
lateness_cny,preemptible,best_effort,priority,data_gb,migration_cny,budget_cny,together,apart
service,Shanghai,ai_infer_int,20,any,L20,3.5,,,1,site,,,,,,false,false,5,,,,,
training,Beijing,ai_train,,,,,H100=8 CPU64=2,,2,city,6,0,2026-12-05T20:00:00+08:00,18,50,false,false,3,200,\
40,9000,,
batch,Guangzhou,,,,A100,8,,H100=2.5,,,4,,,,,true,true,0,,,,,spread
""",
    "forecast": """\
id,probability,count,origin,class,grade,cards,hours,earliest,latest
evening,0.6,20,Shanghai,ai_infer_int,L20,2,4,18,23
""",
    "sites": """\
site,city,province,region,kind,grade,cards,price,power_price,pue,gco2,metered
GUIAN,,,,,H100,32,10.50,0.36,1.2,540,false
GUIAN,,,,,CPU64,64,0.40,0.36,1.2,540,false
""",
    "capacity": """\
site,grade,cards,from,to
GUIAN,H100,24,8,18
""",
    "maintenance": """\
site,grade,cards,from,to
GUIAN,H100,8,2,6
GUIAN,,,2026-12-05T01:00:00+08:00,2026-12-05T04:00:00+08:00
""",
    "electricity": """\
site,power_price,pue,gco2,from,to
GUIAN,0.21,1.15,410,0,8
GUIAN,0.48,1.25,600,8,22
""",
    "prices": """\
site,grade,price,from,to
GUIAN,H100,8.20,0,8
""",
    "links": """\
origin,site,rtt_ms,price_per_gb,gb_per_hour,from,to
Shanghai,GUIAN,33,0.02,400,0,8
Shanghai,GUIAN,,,150,8,24
""",
    "reservations": """\
id,site,grade,cards,paid,worth,from,to
mine,GUIAN,H100,8,9.40,8.00,,
""",
    "offers": """\
id,site,grade,cards,price,from,to
first,GUIAN,H100,8,9.80,,
second,GUIAN,H100,16,10.40,0,12
""",
    "running": """\
id,site,members,grade,since,ran_hours
training,GUIAN,,,-2,
""",
}
"""By the table's name, as CSV."""
