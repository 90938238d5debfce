define  void @loops_330b4b4d92148b1d(ptr %table, ptr %params, i64 %begin, i64 %end, ptr %scratch) nounwind {
entry:
  %slot4 = alloca i64
  %slot7 = alloca <8 x float>
  %slot8 = alloca <8 x float>
  %slot9 = alloca <8 x float>
  %slot10 = alloca <8 x float>
  %slot20 = alloca i64
  %slot76 = alloca i64
  %slot112 = alloca <8 x float>
  %slot113 = alloca <8 x float>
  %slot114 = alloca <8 x float>
  %slot115 = alloca <8 x float>
  %slot123 = alloca i64
  %slot293 = alloca i64
  %slot367 = alloca i64
  %slot549 = alloca i64
  %v11 = getelementptr inbounds i64, ptr %params, i64 0
  %v12 = load i64, ptr %v11, align 8
  %v23 = getelementptr inbounds i64, ptr %params, i64 1
  %v24 = load i64, ptr %v23, align 8
  %v25 = getelementptr inbounds ptr, ptr %table, i64 %v24
  %v26 = load ptr, ptr %v25, align 8
  %v27 = getelementptr inbounds i64, ptr %params, i64 2
  %v28 = load i64, ptr %v27, align 8
  %v33 = getelementptr inbounds i64, ptr %params, i64 3
  %v34 = load i64, ptr %v33, align 8
  %v35 = getelementptr inbounds ptr, ptr %table, i64 %v34
  %v36 = load ptr, ptr %v35, align 8
  %v411 = getelementptr inbounds i64, ptr %params, i64 4
  %v412 = load i64, ptr %v411, align 8
  %v413 = getelementptr inbounds ptr, ptr %table, i64 %v412
  %v414 = load ptr, ptr %v413, align 8
  store i64 %begin, ptr %slot4
  br label %loop1
loop1:
  %v5 = load i64, ptr %slot4
  %v6 = icmp slt i64 %v5, %end
  br i1 %v6, label %body2, label %done3
body2:
  store <8 x float> splat (float 0xFFF0000000000000), ptr %slot7
  store <8 x float> splat (float 0xFFF0000000000000), ptr %slot8
  store <8 x float> splat (float 0xFFF0000000000000), ptr %slot9
  store <8 x float> splat (float 0xFFF0000000000000), ptr %slot10
  %v13 = sub i64 %v12, 0
  %v14 = urem i64 %v13, 32
  %v15 = sub i64 %v13, %v14
  %v16 = add i64 0, %v15
  store i64 0, ptr %slot20
  br label %loop17
loop17:
  %v21 = load i64, ptr %slot20
  %v22 = icmp slt i64 %v21, %v16
  br i1 %v22, label %body18, label %done19
body18:
  %v29 = mul nsw i64 %v5, %v28
  %v30 = add nsw i64 %v21, %v29
  %v31 = getelementptr inbounds float, ptr %v26, i64 %v30
  %v32 = load <8 x float>, ptr %v31, align 4
  %v37 = getelementptr inbounds float, ptr %v36, i64 %v21
  %v38 = load <8 x float>, ptr %v37, align 4
  %v39 = fadd contract <8 x float> %v32, %v38
  %v40 = load <8 x float>, ptr %slot7
  %v41 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v40, <8 x float> %v39)
  store <8 x float> %v41, ptr %slot7
  %v42 = add i64 %v21, 8
  %v43 = mul nsw i64 %v5, %v28
  %v44 = add nsw i64 %v42, %v43
  %v45 = getelementptr inbounds float, ptr %v26, i64 %v44
  %v46 = load <8 x float>, ptr %v45, align 4
  %v47 = getelementptr inbounds float, ptr %v36, i64 %v42
  %v48 = load <8 x float>, ptr %v47, align 4
  %v49 = fadd contract <8 x float> %v46, %v48
  %v50 = load <8 x float>, ptr %slot8
  %v51 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v50, <8 x float> %v49)
  store <8 x float> %v51, ptr %slot8
  %v52 = add i64 %v21, 16
  %v53 = mul nsw i64 %v5, %v28
  %v54 = add nsw i64 %v52, %v53
  %v55 = getelementptr inbounds float, ptr %v26, i64 %v54
  %v56 = load <8 x float>, ptr %v55, align 4
  %v57 = getelementptr inbounds float, ptr %v36, i64 %v52
  %v58 = load <8 x float>, ptr %v57, align 4
  %v59 = fadd contract <8 x float> %v56, %v58
  %v60 = load <8 x float>, ptr %slot9
  %v61 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v60, <8 x float> %v59)
  store <8 x float> %v61, ptr %slot9
  %v62 = add i64 %v21, 24
  %v63 = mul nsw i64 %v5, %v28
  %v64 = add nsw i64 %v62, %v63
  %v65 = getelementptr inbounds float, ptr %v26, i64 %v64
  %v66 = load <8 x float>, ptr %v65, align 4
  %v67 = getelementptr inbounds float, ptr %v36, i64 %v62
  %v68 = load <8 x float>, ptr %v67, align 4
  %v69 = fadd contract <8 x float> %v66, %v68
  %v70 = load <8 x float>, ptr %slot10
  %v71 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v70, <8 x float> %v69)
  store <8 x float> %v71, ptr %slot10
  %v72 = add nsw i64 %v21, 32
  store i64 %v72, ptr %slot20
  br label %loop17
done19:
  store i64 %v16, ptr %slot76
  br label %loop73
loop73:
  %v77 = load i64, ptr %slot76
  %v78 = icmp slt i64 %v77, %v12
  br i1 %v78, label %body74, label %done75
body74:
  %v79 = sub i64 %v12, %v77
  %v80 = trunc i64 %v79 to i32
  %v81 = insertelement <8 x i32> poison, i32 %v80, i64 0
  %v82 = shufflevector <8 x i32> %v81, <8 x i32> poison, <8 x i32> zeroinitializer
  %v83 = icmp slt <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>, %v82
  %v84 = mul nsw i64 %v5, %v28
  %v85 = add nsw i64 %v77, %v84
  %v86 = getelementptr inbounds float, ptr %v26, i64 %v85
  %v87 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v86, i32 4, <8 x i1> %v83, <8 x float> splat (float 0x0000000000000000))
  %v88 = getelementptr inbounds float, ptr %v36, i64 %v77
  %v89 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v88, i32 4, <8 x i1> %v83, <8 x float> splat (float 0x0000000000000000))
  %v90 = fadd contract <8 x float> %v87, %v89
  %v91 = select <8 x i1> %v83, <8 x float> %v90, <8 x float> splat (float 0xFFF0000000000000)
  %v92 = load <8 x float>, ptr %slot7
  %v93 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v92, <8 x float> %v91)
  store <8 x float> %v93, ptr %slot7
  %v94 = add nsw i64 %v77, 8
  store i64 %v94, ptr %slot76
  br label %loop73
done75:
  %v95 = load <8 x float>, ptr %slot7
  %v96 = load <8 x float>, ptr %slot8
  %v97 = load <8 x float>, ptr %slot9
  %v98 = load <8 x float>, ptr %slot10
  %v99 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v95, <8 x float> %v96)
  %v100 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v97, <8 x float> %v98)
  %v101 = call <8 x float> @llvm.maximum.v8f32(<8 x float> %v99, <8 x float> %v100)
  %v102 = shufflevector <8 x float> %v101, <8 x float> %v101, <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %v103 = shufflevector <8 x float> %v101, <8 x float> %v101, <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %v104 = call <4 x float> @llvm.maximum.v4f32(<4 x float> %v102, <4 x float> %v103)
  %v105 = shufflevector <4 x float> %v104, <4 x float> %v104, <2 x i32> <i32 0, i32 1>
  %v106 = shufflevector <4 x float> %v104, <4 x float> %v104, <2 x i32> <i32 2, i32 3>
  %v107 = call <2 x float> @llvm.maximum.v2f32(<2 x float> %v105, <2 x float> %v106)
  %v108 = shufflevector <2 x float> %v107, <2 x float> %v107, <1 x i32> <i32 0>
  %v109 = shufflevector <2 x float> %v107, <2 x float> %v107, <1 x i32> <i32 1>
  %v110 = call <1 x float> @llvm.maximum.v1f32(<1 x float> %v108, <1 x float> %v109)
  %v111 = extractelement <1 x float> %v110, i64 0
  store <8 x float> splat (float 0x0000000000000000), ptr %slot112
  store <8 x float> splat (float 0x0000000000000000), ptr %slot113
  store <8 x float> splat (float 0x0000000000000000), ptr %slot114
  store <8 x float> splat (float 0x0000000000000000), ptr %slot115
  %v116 = sub i64 %v12, 0
  %v117 = urem i64 %v116, 32
  %v118 = sub i64 %v116, %v117
  %v119 = add i64 0, %v118
  store i64 0, ptr %slot123
  br label %loop120
loop120:
  %v124 = load i64, ptr %slot123
  %v125 = icmp slt i64 %v124, %v119
  br i1 %v125, label %body121, label %done122
body121:
  %v126 = mul nsw i64 %v5, %v28
  %v127 = add nsw i64 %v124, %v126
  %v128 = getelementptr inbounds float, ptr %v26, i64 %v127
  %v129 = load <8 x float>, ptr %v128, align 4
  %v130 = getelementptr inbounds float, ptr %v36, i64 %v124
  %v131 = load <8 x float>, ptr %v130, align 4
  %v132 = fadd contract <8 x float> %v129, %v131
  %v133 = insertelement <8 x float> poison, float %v111, i64 0
  %v134 = shufflevector <8 x float> %v133, <8 x float> poison, <8 x i32> zeroinitializer
  %v135 = fsub contract <8 x float> %v132, %v134
  %v136 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v135
  %v137 = select <8 x i1> %v136, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v135
  %v138 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v137
  %v139 = select <8 x i1> %v138, <8 x float> splat (float 0x4056400000000000), <8 x float> %v137
  %v140 = fmul <8 x float> %v139, splat (float 0x3FF7154760000000)
  %v141 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v140)
  %v142 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v141, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v139)
  %v143 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v141, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v142)
  %v144 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v143, <8 x float> splat (float 0x3F81227760000000))
  %v145 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v144, <8 x float> %v143, <8 x float> splat (float 0x3FA5556740000000))
  %v146 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v145, <8 x float> %v143, <8 x float> splat (float 0x3FC5554B00000000))
  %v147 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v146, <8 x float> %v143, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v148 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v147, <8 x float> %v143, <8 x float> splat (float 0x3FF0000000000000))
  %v149 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v148, <8 x float> %v143, <8 x float> splat (float 0x3FF0000000000000))
  %v150 = fadd <8 x float> %v141, splat (float 0x4168000000000000)
  %v151 = bitcast <8 x float> %v150 to <8 x i32>
  %v152 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v153 = sub <8 x i32> %v151, %v152
  %v154 = ashr <8 x i32> %v153, splat (i32 1)
  %v155 = add <8 x i32> %v154, splat (i32 127)
  %v156 = shl <8 x i32> %v155, splat (i32 23)
  %v157 = bitcast <8 x i32> %v156 to <8 x float>
  %v158 = fmul <8 x float> %v149, %v157
  %v159 = sub <8 x i32> %v153, %v154
  %v160 = add <8 x i32> %v159, splat (i32 127)
  %v161 = shl <8 x i32> %v160, splat (i32 23)
  %v162 = bitcast <8 x i32> %v161 to <8 x float>
  %v163 = fmul <8 x float> %v158, %v162
  %v164 = load <8 x float>, ptr %slot112
  %v165 = fadd contract <8 x float> %v164, %v163
  store <8 x float> %v165, ptr %slot112
  %v166 = add i64 %v124, 8
  %v167 = mul nsw i64 %v5, %v28
  %v168 = add nsw i64 %v166, %v167
  %v169 = getelementptr inbounds float, ptr %v26, i64 %v168
  %v170 = load <8 x float>, ptr %v169, align 4
  %v171 = getelementptr inbounds float, ptr %v36, i64 %v166
  %v172 = load <8 x float>, ptr %v171, align 4
  %v173 = fadd contract <8 x float> %v170, %v172
  %v174 = insertelement <8 x float> poison, float %v111, i64 0
  %v175 = shufflevector <8 x float> %v174, <8 x float> poison, <8 x i32> zeroinitializer
  %v176 = fsub contract <8 x float> %v173, %v175
  %v177 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v176
  %v178 = select <8 x i1> %v177, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v176
  %v179 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v178
  %v180 = select <8 x i1> %v179, <8 x float> splat (float 0x4056400000000000), <8 x float> %v178
  %v181 = fmul <8 x float> %v180, splat (float 0x3FF7154760000000)
  %v182 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v181)
  %v183 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v182, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v180)
  %v184 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v182, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v183)
  %v185 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v184, <8 x float> splat (float 0x3F81227760000000))
  %v186 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v185, <8 x float> %v184, <8 x float> splat (float 0x3FA5556740000000))
  %v187 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v186, <8 x float> %v184, <8 x float> splat (float 0x3FC5554B00000000))
  %v188 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v187, <8 x float> %v184, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v189 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v188, <8 x float> %v184, <8 x float> splat (float 0x3FF0000000000000))
  %v190 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v189, <8 x float> %v184, <8 x float> splat (float 0x3FF0000000000000))
  %v191 = fadd <8 x float> %v182, splat (float 0x4168000000000000)
  %v192 = bitcast <8 x float> %v191 to <8 x i32>
  %v193 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v194 = sub <8 x i32> %v192, %v193
  %v195 = ashr <8 x i32> %v194, splat (i32 1)
  %v196 = add <8 x i32> %v195, splat (i32 127)
  %v197 = shl <8 x i32> %v196, splat (i32 23)
  %v198 = bitcast <8 x i32> %v197 to <8 x float>
  %v199 = fmul <8 x float> %v190, %v198
  %v200 = sub <8 x i32> %v194, %v195
  %v201 = add <8 x i32> %v200, splat (i32 127)
  %v202 = shl <8 x i32> %v201, splat (i32 23)
  %v203 = bitcast <8 x i32> %v202 to <8 x float>
  %v204 = fmul <8 x float> %v199, %v203
  %v205 = load <8 x float>, ptr %slot113
  %v206 = fadd contract <8 x float> %v205, %v204
  store <8 x float> %v206, ptr %slot113
  %v207 = add i64 %v124, 16
  %v208 = mul nsw i64 %v5, %v28
  %v209 = add nsw i64 %v207, %v208
  %v210 = getelementptr inbounds float, ptr %v26, i64 %v209
  %v211 = load <8 x float>, ptr %v210, align 4
  %v212 = getelementptr inbounds float, ptr %v36, i64 %v207
  %v213 = load <8 x float>, ptr %v212, align 4
  %v214 = fadd contract <8 x float> %v211, %v213
  %v215 = insertelement <8 x float> poison, float %v111, i64 0
  %v216 = shufflevector <8 x float> %v215, <8 x float> poison, <8 x i32> zeroinitializer
  %v217 = fsub contract <8 x float> %v214, %v216
  %v218 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v217
  %v219 = select <8 x i1> %v218, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v217
  %v220 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v219
  %v221 = select <8 x i1> %v220, <8 x float> splat (float 0x4056400000000000), <8 x float> %v219
  %v222 = fmul <8 x float> %v221, splat (float 0x3FF7154760000000)
  %v223 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v222)
  %v224 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v223, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v221)
  %v225 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v223, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v224)
  %v226 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v225, <8 x float> splat (float 0x3F81227760000000))
  %v227 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v226, <8 x float> %v225, <8 x float> splat (float 0x3FA5556740000000))
  %v228 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v227, <8 x float> %v225, <8 x float> splat (float 0x3FC5554B00000000))
  %v229 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v228, <8 x float> %v225, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v230 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v229, <8 x float> %v225, <8 x float> splat (float 0x3FF0000000000000))
  %v231 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v230, <8 x float> %v225, <8 x float> splat (float 0x3FF0000000000000))
  %v232 = fadd <8 x float> %v223, splat (float 0x4168000000000000)
  %v233 = bitcast <8 x float> %v232 to <8 x i32>
  %v234 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v235 = sub <8 x i32> %v233, %v234
  %v236 = ashr <8 x i32> %v235, splat (i32 1)
  %v237 = add <8 x i32> %v236, splat (i32 127)
  %v238 = shl <8 x i32> %v237, splat (i32 23)
  %v239 = bitcast <8 x i32> %v238 to <8 x float>
  %v240 = fmul <8 x float> %v231, %v239
  %v241 = sub <8 x i32> %v235, %v236
  %v242 = add <8 x i32> %v241, splat (i32 127)
  %v243 = shl <8 x i32> %v242, splat (i32 23)
  %v244 = bitcast <8 x i32> %v243 to <8 x float>
  %v245 = fmul <8 x float> %v240, %v244
  %v246 = load <8 x float>, ptr %slot114
  %v247 = fadd contract <8 x float> %v246, %v245
  store <8 x float> %v247, ptr %slot114
  %v248 = add i64 %v124, 24
  %v249 = mul nsw i64 %v5, %v28
  %v250 = add nsw i64 %v248, %v249
  %v251 = getelementptr inbounds float, ptr %v26, i64 %v250
  %v252 = load <8 x float>, ptr %v251, align 4
  %v253 = getelementptr inbounds float, ptr %v36, i64 %v248
  %v254 = load <8 x float>, ptr %v253, align 4
  %v255 = fadd contract <8 x float> %v252, %v254
  %v256 = insertelement <8 x float> poison, float %v111, i64 0
  %v257 = shufflevector <8 x float> %v256, <8 x float> poison, <8 x i32> zeroinitializer
  %v258 = fsub contract <8 x float> %v255, %v257
  %v259 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v258
  %v260 = select <8 x i1> %v259, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v258
  %v261 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v260
  %v262 = select <8 x i1> %v261, <8 x float> splat (float 0x4056400000000000), <8 x float> %v260
  %v263 = fmul <8 x float> %v262, splat (float 0x3FF7154760000000)
  %v264 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v263)
  %v265 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v264, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v262)
  %v266 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v264, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v265)
  %v267 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v266, <8 x float> splat (float 0x3F81227760000000))
  %v268 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v267, <8 x float> %v266, <8 x float> splat (float 0x3FA5556740000000))
  %v269 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v268, <8 x float> %v266, <8 x float> splat (float 0x3FC5554B00000000))
  %v270 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v269, <8 x float> %v266, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v271 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v270, <8 x float> %v266, <8 x float> splat (float 0x3FF0000000000000))
  %v272 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v271, <8 x float> %v266, <8 x float> splat (float 0x3FF0000000000000))
  %v273 = fadd <8 x float> %v264, splat (float 0x4168000000000000)
  %v274 = bitcast <8 x float> %v273 to <8 x i32>
  %v275 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v276 = sub <8 x i32> %v274, %v275
  %v277 = ashr <8 x i32> %v276, splat (i32 1)
  %v278 = add <8 x i32> %v277, splat (i32 127)
  %v279 = shl <8 x i32> %v278, splat (i32 23)
  %v280 = bitcast <8 x i32> %v279 to <8 x float>
  %v281 = fmul <8 x float> %v272, %v280
  %v282 = sub <8 x i32> %v276, %v277
  %v283 = add <8 x i32> %v282, splat (i32 127)
  %v284 = shl <8 x i32> %v283, splat (i32 23)
  %v285 = bitcast <8 x i32> %v284 to <8 x float>
  %v286 = fmul <8 x float> %v281, %v285
  %v287 = load <8 x float>, ptr %slot115
  %v288 = fadd contract <8 x float> %v287, %v286
  store <8 x float> %v288, ptr %slot115
  %v289 = add nsw i64 %v124, 32
  store i64 %v289, ptr %slot123
  br label %loop120
done122:
  store i64 %v119, ptr %slot293
  br label %loop290
loop290:
  %v294 = load i64, ptr %slot293
  %v295 = icmp slt i64 %v294, %v12
  br i1 %v295, label %body291, label %done292
body291:
  %v296 = sub i64 %v12, %v294
  %v297 = trunc i64 %v296 to i32
  %v298 = insertelement <8 x i32> poison, i32 %v297, i64 0
  %v299 = shufflevector <8 x i32> %v298, <8 x i32> poison, <8 x i32> zeroinitializer
  %v300 = icmp slt <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>, %v299
  %v301 = mul nsw i64 %v5, %v28
  %v302 = add nsw i64 %v294, %v301
  %v303 = getelementptr inbounds float, ptr %v26, i64 %v302
  %v304 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v303, i32 4, <8 x i1> %v300, <8 x float> splat (float 0x0000000000000000))
  %v305 = getelementptr inbounds float, ptr %v36, i64 %v294
  %v306 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v305, i32 4, <8 x i1> %v300, <8 x float> splat (float 0x0000000000000000))
  %v307 = fadd contract <8 x float> %v304, %v306
  %v308 = insertelement <8 x float> poison, float %v111, i64 0
  %v309 = shufflevector <8 x float> %v308, <8 x float> poison, <8 x i32> zeroinitializer
  %v310 = fsub contract <8 x float> %v307, %v309
  %v311 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v310
  %v312 = select <8 x i1> %v311, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v310
  %v313 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v312
  %v314 = select <8 x i1> %v313, <8 x float> splat (float 0x4056400000000000), <8 x float> %v312
  %v315 = fmul <8 x float> %v314, splat (float 0x3FF7154760000000)
  %v316 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v315)
  %v317 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v316, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v314)
  %v318 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v316, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v317)
  %v319 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v318, <8 x float> splat (float 0x3F81227760000000))
  %v320 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v319, <8 x float> %v318, <8 x float> splat (float 0x3FA5556740000000))
  %v321 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v320, <8 x float> %v318, <8 x float> splat (float 0x3FC5554B00000000))
  %v322 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v321, <8 x float> %v318, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v323 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v322, <8 x float> %v318, <8 x float> splat (float 0x3FF0000000000000))
  %v324 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v323, <8 x float> %v318, <8 x float> splat (float 0x3FF0000000000000))
  %v325 = fadd <8 x float> %v316, splat (float 0x4168000000000000)
  %v326 = bitcast <8 x float> %v325 to <8 x i32>
  %v327 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v328 = sub <8 x i32> %v326, %v327
  %v329 = ashr <8 x i32> %v328, splat (i32 1)
  %v330 = add <8 x i32> %v329, splat (i32 127)
  %v331 = shl <8 x i32> %v330, splat (i32 23)
  %v332 = bitcast <8 x i32> %v331 to <8 x float>
  %v333 = fmul <8 x float> %v324, %v332
  %v334 = sub <8 x i32> %v328, %v329
  %v335 = add <8 x i32> %v334, splat (i32 127)
  %v336 = shl <8 x i32> %v335, splat (i32 23)
  %v337 = bitcast <8 x i32> %v336 to <8 x float>
  %v338 = fmul <8 x float> %v333, %v337
  %v339 = select <8 x i1> %v300, <8 x float> %v338, <8 x float> splat (float 0x0000000000000000)
  %v340 = load <8 x float>, ptr %slot112
  %v341 = fadd contract <8 x float> %v340, %v339
  store <8 x float> %v341, ptr %slot112
  %v342 = add nsw i64 %v294, 8
  store i64 %v342, ptr %slot293
  br label %loop290
done292:
  %v343 = load <8 x float>, ptr %slot112
  %v344 = load <8 x float>, ptr %slot113
  %v345 = load <8 x float>, ptr %slot114
  %v346 = load <8 x float>, ptr %slot115
  %v347 = fadd contract <8 x float> %v343, %v344
  %v348 = fadd contract <8 x float> %v345, %v346
  %v349 = fadd contract <8 x float> %v347, %v348
  %v350 = shufflevector <8 x float> %v349, <8 x float> %v349, <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %v351 = shufflevector <8 x float> %v349, <8 x float> %v349, <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %v352 = fadd contract <4 x float> %v350, %v351
  %v353 = shufflevector <4 x float> %v352, <4 x float> %v352, <2 x i32> <i32 0, i32 1>
  %v354 = shufflevector <4 x float> %v352, <4 x float> %v352, <2 x i32> <i32 2, i32 3>
  %v355 = fadd contract <2 x float> %v353, %v354
  %v356 = shufflevector <2 x float> %v355, <2 x float> %v355, <1 x i32> <i32 0>
  %v357 = shufflevector <2 x float> %v355, <2 x float> %v355, <1 x i32> <i32 1>
  %v358 = fadd contract <1 x float> %v356, %v357
  %v359 = extractelement <1 x float> %v358, i64 0
  %v360 = sub i64 %v12, 0
  %v361 = urem i64 %v360, 32
  %v362 = sub i64 %v360, %v361
  %v363 = add i64 0, %v362
  store i64 0, ptr %slot367
  br label %loop364
loop364:
  %v368 = load i64, ptr %slot367
  %v369 = icmp slt i64 %v368, %v363
  br i1 %v369, label %body365, label %done366
body365:
  %v370 = mul nsw i64 %v5, %v28
  %v371 = add nsw i64 %v368, %v370
  %v372 = getelementptr inbounds float, ptr %v26, i64 %v371
  %v373 = load <8 x float>, ptr %v372, align 4
  %v374 = getelementptr inbounds float, ptr %v36, i64 %v368
  %v375 = load <8 x float>, ptr %v374, align 4
  %v376 = fadd contract <8 x float> %v373, %v375
  %v377 = insertelement <8 x float> poison, float %v111, i64 0
  %v378 = shufflevector <8 x float> %v377, <8 x float> poison, <8 x i32> zeroinitializer
  %v379 = fsub contract <8 x float> %v376, %v378
  %v380 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v379
  %v381 = select <8 x i1> %v380, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v379
  %v382 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v381
  %v383 = select <8 x i1> %v382, <8 x float> splat (float 0x4056400000000000), <8 x float> %v381
  %v384 = fmul <8 x float> %v383, splat (float 0x3FF7154760000000)
  %v385 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v384)
  %v386 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v385, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v383)
  %v387 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v385, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v386)
  %v388 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v387, <8 x float> splat (float 0x3F81227760000000))
  %v389 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v388, <8 x float> %v387, <8 x float> splat (float 0x3FA5556740000000))
  %v390 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v389, <8 x float> %v387, <8 x float> splat (float 0x3FC5554B00000000))
  %v391 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v390, <8 x float> %v387, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v392 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v391, <8 x float> %v387, <8 x float> splat (float 0x3FF0000000000000))
  %v393 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v392, <8 x float> %v387, <8 x float> splat (float 0x3FF0000000000000))
  %v394 = fadd <8 x float> %v385, splat (float 0x4168000000000000)
  %v395 = bitcast <8 x float> %v394 to <8 x i32>
  %v396 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v397 = sub <8 x i32> %v395, %v396
  %v398 = ashr <8 x i32> %v397, splat (i32 1)
  %v399 = add <8 x i32> %v398, splat (i32 127)
  %v400 = shl <8 x i32> %v399, splat (i32 23)
  %v401 = bitcast <8 x i32> %v400 to <8 x float>
  %v402 = fmul <8 x float> %v393, %v401
  %v403 = sub <8 x i32> %v397, %v398
  %v404 = add <8 x i32> %v403, splat (i32 127)
  %v405 = shl <8 x i32> %v404, splat (i32 23)
  %v406 = bitcast <8 x i32> %v405 to <8 x float>
  %v407 = fmul <8 x float> %v402, %v406
  %v408 = insertelement <8 x float> poison, float %v359, i64 0
  %v409 = shufflevector <8 x float> %v408, <8 x float> poison, <8 x i32> zeroinitializer
  %v410 = fdiv <8 x float> %v407, %v409
  %v415 = getelementptr inbounds float, ptr %v414, i64 %v371
  store <8 x float> %v410, ptr %v415, align 4
  %v416 = add i64 %v368, 8
  %v417 = mul nsw i64 %v5, %v28
  %v418 = add nsw i64 %v416, %v417
  %v419 = getelementptr inbounds float, ptr %v26, i64 %v418
  %v420 = load <8 x float>, ptr %v419, align 4
  %v421 = getelementptr inbounds float, ptr %v36, i64 %v416
  %v422 = load <8 x float>, ptr %v421, align 4
  %v423 = fadd contract <8 x float> %v420, %v422
  %v424 = insertelement <8 x float> poison, float %v111, i64 0
  %v425 = shufflevector <8 x float> %v424, <8 x float> poison, <8 x i32> zeroinitializer
  %v426 = fsub contract <8 x float> %v423, %v425
  %v427 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v426
  %v428 = select <8 x i1> %v427, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v426
  %v429 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v428
  %v430 = select <8 x i1> %v429, <8 x float> splat (float 0x4056400000000000), <8 x float> %v428
  %v431 = fmul <8 x float> %v430, splat (float 0x3FF7154760000000)
  %v432 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v431)
  %v433 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v432, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v430)
  %v434 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v432, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v433)
  %v435 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v434, <8 x float> splat (float 0x3F81227760000000))
  %v436 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v435, <8 x float> %v434, <8 x float> splat (float 0x3FA5556740000000))
  %v437 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v436, <8 x float> %v434, <8 x float> splat (float 0x3FC5554B00000000))
  %v438 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v437, <8 x float> %v434, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v439 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v438, <8 x float> %v434, <8 x float> splat (float 0x3FF0000000000000))
  %v440 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v439, <8 x float> %v434, <8 x float> splat (float 0x3FF0000000000000))
  %v441 = fadd <8 x float> %v432, splat (float 0x4168000000000000)
  %v442 = bitcast <8 x float> %v441 to <8 x i32>
  %v443 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v444 = sub <8 x i32> %v442, %v443
  %v445 = ashr <8 x i32> %v444, splat (i32 1)
  %v446 = add <8 x i32> %v445, splat (i32 127)
  %v447 = shl <8 x i32> %v446, splat (i32 23)
  %v448 = bitcast <8 x i32> %v447 to <8 x float>
  %v449 = fmul <8 x float> %v440, %v448
  %v450 = sub <8 x i32> %v444, %v445
  %v451 = add <8 x i32> %v450, splat (i32 127)
  %v452 = shl <8 x i32> %v451, splat (i32 23)
  %v453 = bitcast <8 x i32> %v452 to <8 x float>
  %v454 = fmul <8 x float> %v449, %v453
  %v455 = insertelement <8 x float> poison, float %v359, i64 0
  %v456 = shufflevector <8 x float> %v455, <8 x float> poison, <8 x i32> zeroinitializer
  %v457 = fdiv <8 x float> %v454, %v456
  %v458 = getelementptr inbounds float, ptr %v414, i64 %v418
  store <8 x float> %v457, ptr %v458, align 4
  %v459 = add i64 %v368, 16
  %v460 = mul nsw i64 %v5, %v28
  %v461 = add nsw i64 %v459, %v460
  %v462 = getelementptr inbounds float, ptr %v26, i64 %v461
  %v463 = load <8 x float>, ptr %v462, align 4
  %v464 = getelementptr inbounds float, ptr %v36, i64 %v459
  %v465 = load <8 x float>, ptr %v464, align 4
  %v466 = fadd contract <8 x float> %v463, %v465
  %v467 = insertelement <8 x float> poison, float %v111, i64 0
  %v468 = shufflevector <8 x float> %v467, <8 x float> poison, <8 x i32> zeroinitializer
  %v469 = fsub contract <8 x float> %v466, %v468
  %v470 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v469
  %v471 = select <8 x i1> %v470, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v469
  %v472 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v471
  %v473 = select <8 x i1> %v472, <8 x float> splat (float 0x4056400000000000), <8 x float> %v471
  %v474 = fmul <8 x float> %v473, splat (float 0x3FF7154760000000)
  %v475 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v474)
  %v476 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v475, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v473)
  %v477 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v475, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v476)
  %v478 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v477, <8 x float> splat (float 0x3F81227760000000))
  %v479 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v478, <8 x float> %v477, <8 x float> splat (float 0x3FA5556740000000))
  %v480 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v479, <8 x float> %v477, <8 x float> splat (float 0x3FC5554B00000000))
  %v481 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v480, <8 x float> %v477, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v482 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v481, <8 x float> %v477, <8 x float> splat (float 0x3FF0000000000000))
  %v483 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v482, <8 x float> %v477, <8 x float> splat (float 0x3FF0000000000000))
  %v484 = fadd <8 x float> %v475, splat (float 0x4168000000000000)
  %v485 = bitcast <8 x float> %v484 to <8 x i32>
  %v486 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v487 = sub <8 x i32> %v485, %v486
  %v488 = ashr <8 x i32> %v487, splat (i32 1)
  %v489 = add <8 x i32> %v488, splat (i32 127)
  %v490 = shl <8 x i32> %v489, splat (i32 23)
  %v491 = bitcast <8 x i32> %v490 to <8 x float>
  %v492 = fmul <8 x float> %v483, %v491
  %v493 = sub <8 x i32> %v487, %v488
  %v494 = add <8 x i32> %v493, splat (i32 127)
  %v495 = shl <8 x i32> %v494, splat (i32 23)
  %v496 = bitcast <8 x i32> %v495 to <8 x float>
  %v497 = fmul <8 x float> %v492, %v496
  %v498 = insertelement <8 x float> poison, float %v359, i64 0
  %v499 = shufflevector <8 x float> %v498, <8 x float> poison, <8 x i32> zeroinitializer
  %v500 = fdiv <8 x float> %v497, %v499
  %v501 = getelementptr inbounds float, ptr %v414, i64 %v461
  store <8 x float> %v500, ptr %v501, align 4
  %v502 = add i64 %v368, 24
  %v503 = mul nsw i64 %v5, %v28
  %v504 = add nsw i64 %v502, %v503
  %v505 = getelementptr inbounds float, ptr %v26, i64 %v504
  %v506 = load <8 x float>, ptr %v505, align 4
  %v507 = getelementptr inbounds float, ptr %v36, i64 %v502
  %v508 = load <8 x float>, ptr %v507, align 4
  %v509 = fadd contract <8 x float> %v506, %v508
  %v510 = insertelement <8 x float> poison, float %v111, i64 0
  %v511 = shufflevector <8 x float> %v510, <8 x float> poison, <8 x i32> zeroinitializer
  %v512 = fsub contract <8 x float> %v509, %v511
  %v513 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v512
  %v514 = select <8 x i1> %v513, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v512
  %v515 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v514
  %v516 = select <8 x i1> %v515, <8 x float> splat (float 0x4056400000000000), <8 x float> %v514
  %v517 = fmul <8 x float> %v516, splat (float 0x3FF7154760000000)
  %v518 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v517)
  %v519 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v518, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v516)
  %v520 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v518, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v519)
  %v521 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v520, <8 x float> splat (float 0x3F81227760000000))
  %v522 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v521, <8 x float> %v520, <8 x float> splat (float 0x3FA5556740000000))
  %v523 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v522, <8 x float> %v520, <8 x float> splat (float 0x3FC5554B00000000))
  %v524 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v523, <8 x float> %v520, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v525 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v524, <8 x float> %v520, <8 x float> splat (float 0x3FF0000000000000))
  %v526 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v525, <8 x float> %v520, <8 x float> splat (float 0x3FF0000000000000))
  %v527 = fadd <8 x float> %v518, splat (float 0x4168000000000000)
  %v528 = bitcast <8 x float> %v527 to <8 x i32>
  %v529 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v530 = sub <8 x i32> %v528, %v529
  %v531 = ashr <8 x i32> %v530, splat (i32 1)
  %v532 = add <8 x i32> %v531, splat (i32 127)
  %v533 = shl <8 x i32> %v532, splat (i32 23)
  %v534 = bitcast <8 x i32> %v533 to <8 x float>
  %v535 = fmul <8 x float> %v526, %v534
  %v536 = sub <8 x i32> %v530, %v531
  %v537 = add <8 x i32> %v536, splat (i32 127)
  %v538 = shl <8 x i32> %v537, splat (i32 23)
  %v539 = bitcast <8 x i32> %v538 to <8 x float>
  %v540 = fmul <8 x float> %v535, %v539
  %v541 = insertelement <8 x float> poison, float %v359, i64 0
  %v542 = shufflevector <8 x float> %v541, <8 x float> poison, <8 x i32> zeroinitializer
  %v543 = fdiv <8 x float> %v540, %v542
  %v544 = getelementptr inbounds float, ptr %v414, i64 %v504
  store <8 x float> %v543, ptr %v544, align 4
  %v545 = add nsw i64 %v368, 32
  store i64 %v545, ptr %slot367
  br label %loop364
done366:
  store i64 %v363, ptr %slot549
  br label %loop546
loop546:
  %v550 = load i64, ptr %slot549
  %v551 = icmp slt i64 %v550, %v12
  br i1 %v551, label %body547, label %done548
body547:
  %v552 = sub i64 %v12, %v550
  %v553 = trunc i64 %v552 to i32
  %v554 = insertelement <8 x i32> poison, i32 %v553, i64 0
  %v555 = shufflevector <8 x i32> %v554, <8 x i32> poison, <8 x i32> zeroinitializer
  %v556 = icmp slt <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>, %v555
  %v557 = mul nsw i64 %v5, %v28
  %v558 = add nsw i64 %v550, %v557
  %v559 = getelementptr inbounds float, ptr %v26, i64 %v558
  %v560 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v559, i32 4, <8 x i1> %v556, <8 x float> splat (float 0x0000000000000000))
  %v561 = getelementptr inbounds float, ptr %v36, i64 %v550
  %v562 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v561, i32 4, <8 x i1> %v556, <8 x float> splat (float 0x0000000000000000))
  %v563 = fadd contract <8 x float> %v560, %v562
  %v564 = insertelement <8 x float> poison, float %v111, i64 0
  %v565 = shufflevector <8 x float> %v564, <8 x float> poison, <8 x i32> zeroinitializer
  %v566 = fsub contract <8 x float> %v563, %v565
  %v567 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v566
  %v568 = select <8 x i1> %v567, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v566
  %v569 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v568
  %v570 = select <8 x i1> %v569, <8 x float> splat (float 0x4056400000000000), <8 x float> %v568
  %v571 = fmul <8 x float> %v570, splat (float 0x3FF7154760000000)
  %v572 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v571)
  %v573 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v572, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v570)
  %v574 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v572, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v573)
  %v575 = call <8 x float> @llvm.fma.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v574, <8 x float> splat (float 0x3F81227760000000))
  %v576 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v575, <8 x float> %v574, <8 x float> splat (float 0x3FA5556740000000))
  %v577 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v576, <8 x float> %v574, <8 x float> splat (float 0x3FC5554B00000000))
  %v578 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v577, <8 x float> %v574, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v579 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v578, <8 x float> %v574, <8 x float> splat (float 0x3FF0000000000000))
  %v580 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v579, <8 x float> %v574, <8 x float> splat (float 0x3FF0000000000000))
  %v581 = fadd <8 x float> %v572, splat (float 0x4168000000000000)
  %v582 = bitcast <8 x float> %v581 to <8 x i32>
  %v583 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v584 = sub <8 x i32> %v582, %v583
  %v585 = ashr <8 x i32> %v584, splat (i32 1)
  %v586 = add <8 x i32> %v585, splat (i32 127)
  %v587 = shl <8 x i32> %v586, splat (i32 23)
  %v588 = bitcast <8 x i32> %v587 to <8 x float>
  %v589 = fmul <8 x float> %v580, %v588
  %v590 = sub <8 x i32> %v584, %v585
  %v591 = add <8 x i32> %v590, splat (i32 127)
  %v592 = shl <8 x i32> %v591, splat (i32 23)
  %v593 = bitcast <8 x i32> %v592 to <8 x float>
  %v594 = fmul <8 x float> %v589, %v593
  %v595 = insertelement <8 x float> poison, float %v359, i64 0
  %v596 = shufflevector <8 x float> %v595, <8 x float> poison, <8 x i32> zeroinitializer
  %v597 = fdiv <8 x float> %v594, %v596
  %v598 = getelementptr inbounds float, ptr %v414, i64 %v558
  call void @llvm.masked.store.v8f32.p0(<8 x float> %v597, ptr %v598, i32 4, <8 x i1> %v556)
  %v599 = add nsw i64 %v550, 8
  store i64 %v599, ptr %slot549
  br label %loop546
done548:
  %v600 = add nsw i64 %v5, 1
  store i64 %v600, ptr %slot4
  br label %loop1
done3:
  ret void
}
declare <8 x float> @llvm.maximum.v8f32(<8 x float>, <8 x float>)
declare <8 x float> @llvm.masked.load.v8f32.p0(ptr, i32, <8 x i1>, <8 x float>)
declare <4 x float> @llvm.maximum.v4f32(<4 x float>, <4 x float>)
declare <2 x float> @llvm.maximum.v2f32(<2 x float>, <2 x float>)
declare <1 x float> @llvm.maximum.v1f32(<1 x float>, <1 x float>)
declare <8 x float> @llvm.rint.v8f32(<8 x float>)
declare <8 x float> @llvm.fma.v8f32(<8 x float>, <8 x float>, <8 x float>)
declare void @llvm.masked.store.v8f32.p0(<8 x float>, ptr, i32, <8 x i1>)
